"""The catalog of an account's feature groups: it is there from the first group on, and is shared with no other account
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListResourceCatalogs.html)."""

from __future__ import annotations

from clary.names import Arn
from clary.services import resources
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.sagemaker.feature_groups import FEATURE_GROUP
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Query

_NAME = "DefaultFeatureGroupCatalog"


def _catalog(context: Context) -> Output | None:
    first = Query(FEATURE_GROUP.kind, context.account, context.region, descending=False, limit=1)
    rows = resources.page(context, first).rows
    if not rows:
        return None
    return {
        "ResourceCatalogArn": str(Arn("sagemaker", context.region, context.account, f"sagemaker-catalog/{_NAME}")),
        "ResourceCatalogName": _NAME,
        "Description": "All feature groups of this account in this region.",
        "CreationTime": rows[0].created,
    }


def _asked(params: Params, catalog: Output) -> bool:
    made = catalog["CreationTime"]
    return (
        params.get("NameContains", "") in _NAME
        and ("CreationTimeAfter" not in params or made > params["CreationTimeAfter"])
        and ("CreationTimeBefore" not in params or made < params["CreationTimeBefore"])
    )


@SERVICE.operation("ListResourceCatalogs", effect="keeps state", on=lambda _call: ["*"])
def list_(context: Context, params: Params) -> Output:
    """One, or none."""
    catalog = _catalog(context)
    return {"ResourceCatalogs": [catalog] if catalog and _asked(params, catalog) else []}
