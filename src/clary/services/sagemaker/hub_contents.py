"""What is in hubs: in those of one's own, versions of documents that were imported and references to public models; in
SageMaker's public one, the models that JumpStart offers
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ImportHubContent.html)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from clary.calls import Call
from clary.errors import AWSError, ValidationError
from clary.jumpstart import hub as public
from clary.jumpstart.offered import MODELS, Model
from clary.names import sagemaker_arn
from clary.services import placed, resources
from clary.services.context import Context
from clary.services.declaring import changed, facts, named, shown
from clary.services.resources import DEFAULT_PAGE, Output, Params, Resource
from clary.services.sagemaker import public_hub
from clary.services.sagemaker.hubs import CONTENT_KIND, HUB
from clary.services.sagemaker.kept_errors import does_not_exist
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_REFERENCE = "ModelReference"
_FIRST = "1.0.0"


def _exists(arn: str) -> AWSError:
    return AWSError("ResourceInUse", f"Hub content {arn} already exists.")


CONTENT = Resource(
    kind=CONTENT_KIND,
    noun="HubContent",
    named="HubContentVersion",
    within=("HubName", "HubContentType", "HubContentName"),
    list_member="HubContentSummaries",
    status="Available",
    exists=_exists,
    missing=does_not_exist("HubContent"),
    shown=lambda row: {"HubArn": sagemaker_arn(row.key.region, row.key.account, HUB.kind, row.parent)},
    listed=lambda row: {"OriginalCreationTime": row.created},
    parent=lambda _context, spec: str(spec["HubName"]),
)


def _on_content(call: Call) -> Sequence[str]:
    hub, content = named(HUB)(call)[0].rpartition("/")[2], call.params.get("HubContentName", "*")
    name = f"{hub}/{call.params.get('HubContentType', _REFERENCE)}/{content}/*"
    return [*named(HUB)(call), sagemaker_arn(call.region, call.principal.account, CONTENT.kind, name)]


def _versions(context: Context, params: Params) -> list[Row]:
    """Of one content, the newest first. Raises ResourceNotFound where the hub is not there."""
    return [row for row in _contents(context, params) if row.spec["HubContentName"] == params["HubContentName"]]


def _contents(context: Context, params: Params) -> list[Row]:
    """All of one type in a hub, the newest version first."""
    row = resources.require(HUB, context, params["HubName"])
    rows = context.store.read.children(CONTENT.kind, row.key)
    of_type = [each for each in rows if each.spec["HubContentType"] == params["HubContentType"]]
    return sorted(of_type, key=lambda each: number(each.spec["HubContentVersion"]), reverse=True)


def number(version: str) -> tuple[int, ...]:
    """A version as its parts: `1.10.0` is above `1.9.0`."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


@SERVICE.operation("ImportHubContent", effect="keeps state", on=_on_content)
def import_(context: Context, params: Params) -> Output:
    """A version of a document. Raises ResourceNotFound, ResourceInUse, ValidationError."""
    row = resources.require(HUB, context, params["HubName"])
    if params["HubContentType"] == _REFERENCE:
        raise ValidationError("A ModelReference is made by CreateHubContentReference.")
    spec = {"HubContentVersion": _FIRST, "SupportStatus": "Supported", **params, "HubName": row.key.name}
    made = resources.insert(CONTENT, context, resources.new_row(CONTENT, context, spec), params.get("Tags"))
    return {"HubArn": row.arn, "HubContentArn": made.arn}


@SERVICE.operation("CreateHubContentReference", effect="keeps state", on=_on_content)
def refer(context: Context, params: Params) -> Output:
    """A public model, by its ARN, under a name of one's own. Raises ResourceNotFound, ResourceInUse."""
    row = resources.require(HUB, context, params["HubName"])
    model = _public_model(params["SageMakerPublicHubContentArn"])
    spec = {
        "HubContentName": model.id,
        **params,
        "HubName": row.key.name,
        "HubContentType": _REFERENCE,
        "HubContentVersion": _FIRST,
        "DocumentSchemaVersion": public.SCHEMA,
        "HubContentDocument": "{}",
        "HubContentDisplayName": model.title,
        "SupportStatus": "Supported",
        "ReferenceMinVersion": params.get("MinVersion"),
    }
    made = resources.insert(CONTENT, context, resources.new_row(CONTENT, context, spec), params.get("Tags"))
    return {"HubArn": row.arn, "HubContentArn": made.arn}


def _public_model(arn: str) -> Model:
    parts = arn.rpartition(":")[2].split("/")
    found = public.find(parts[3], "") if parts[:3] == ["hub-content", public.NAME, "Model"] and len(parts) > 3 else None
    if found is None:
        raise AWSError("ResourceNotFound", f"HubContent '{arn}' does not exist.")
    return found[0]


@SERVICE.operation("DescribeHubContent", effect="keeps state")
def describe(context: Context, params: Params) -> Output:
    """One version, the newest where none is said; of the public hub as of one's own. Raises ResourceNotFound."""
    if params["HubName"].rpartition("/")[2] == public.NAME:
        return public_hub.describe_public(context, params)
    version = params.get("HubContentVersion", "*")
    found = [row for row in _versions(context, params) if version in ("*", row.spec["HubContentVersion"])]
    if not found:
        raise public_hub.no_content(params)
    return shown("sagemaker", "DescribeHubContent", facts(CONTENT, found[0]))


def _require(context: Context, transaction: Transaction, params: Params) -> Row:
    name = resources.require(HUB, context, params["HubName"]).key.name
    return resources.found(CONTENT, context, transaction, CONTENT.name_in({**params, "HubName": name}))


def _changed(context: Context, params: Params, said: Params) -> Output:
    def change(transaction: Transaction) -> Row:
        row = _require(context, transaction, params)
        new = changed(context, row, {**row.spec, **said})
        return transaction.save(replace(new, modified=resources.now()))

    return shown("sagemaker", "UpdateHubContent", facts(CONTENT, context.store.write(change)))


_NAMING = ("HubName", "HubContentName", "HubContentType", "HubContentVersion")


@SERVICE.operation("UpdateHubContent", effect="keeps state", on=_on_content)
def update(context: Context, params: Params) -> Output:
    """What is said of one version. Raises ResourceNotFound."""
    return _changed(context, params, {name: value for name, value in params.items() if name not in _NAMING})


@SERVICE.operation("UpdateHubContentReference", effect="keeps state", on=_on_content)
def update_reference(context: Context, params: Params) -> Output:
    """The least version that it means. Raises ResourceNotFound."""
    return _changed(context, {**params, "HubContentVersion": _FIRST}, {"ReferenceMinVersion": params.get("MinVersion")})


@SERVICE.operation("DeleteHubContent", effect="keeps state", on=_on_content)
def delete(context: Context, params: Params) -> Output:
    """One version. Raises ResourceNotFound."""
    context.store.write(lambda transaction: transaction.delete(_require(context, transaction, params).key))
    return {}


@SERVICE.operation("DeleteHubContentReference", effect="keeps state", on=_on_content)
def delete_reference(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound."""
    key = {**params, "HubContentVersion": _FIRST}
    context.store.write(lambda transaction: transaction.delete(_require(context, transaction, key).key))
    return {}


def _public_contents(context: Context, params: Params) -> Iterator[Output]:
    if params["HubContentType"] == "Model":
        for model in MODELS:
            described = public_hub.describe_public(
                context, {**params, "HubContentName": model.id, "HubContentVersion": ""}
            )
            yield {**described, "OriginalCreationTime": described["CreationTime"]}


def _listed(context: Context, params: Params, found: list[Row]) -> Output:
    at_public = params["HubName"].rpartition("/")[2] == public.NAME
    own = ({**facts(CONTENT, row), **CONTENT.listed(row)} for row in found)
    entries = [each for each in (_public_contents(context, params) if at_public else own) if _asked(params, each)]
    by = _ORDERS.get(params.get("SortBy", ""), _ORDERS["CreationTime"])
    ordered = [([by(each), each["HubContentArn"]], each) for each in entries]
    descending = params.get("SortOrder", "Descending") == "Descending"
    page, token = placed.page(ordered, params, params.get("MaxResults") or DEFAULT_PAGE, descending=descending)
    output = {"HubContentSummaries": page, "NextToken": token}
    return shown("sagemaker", "ListHubContents", resources.present(output))


_ORDERS: dict[str, Callable[[Output], str | float]] = {
    "CreationTime": lambda entry: entry["CreationTime"].timestamp(),
    "HubContentName": lambda entry: str(entry["HubContentName"]),
    "HubContentStatus": lambda entry: str(entry["HubContentStatus"]),
}


def _asked(params: Params, entry: Output) -> bool:
    made = entry["CreationTime"]
    return (
        params.get("NameContains", "") in entry["HubContentName"]
        and ("CreationTimeAfter" not in params or made > params["CreationTimeAfter"])
        and ("CreationTimeBefore" not in params or made < params["CreationTimeBefore"])
        and ("MinVersion" not in params or number(entry["HubContentVersion"]) >= number(params["MinVersion"]))
        and (
            "MaxSchemaVersion" not in params
            or number(entry["DocumentSchemaVersion"]) <= number(params["MaxSchemaVersion"])
        )
    )


@SERVICE.operation("ListHubContents", effect="keeps state", on=named(HUB))
def list_(context: Context, params: Params) -> Output:
    """The newest version of each. Raises ResourceNotFound."""
    if params["HubName"].rpartition("/")[2] == public.NAME:
        return _listed(context, params, [])
    newest: dict[str, Row] = {}
    for row in _contents(context, params):
        newest.setdefault(row.spec["HubContentName"], row)
    return _listed(context, params, list(newest.values()))


@SERVICE.operation("ListHubContentVersions", effect="keeps state", on=named(HUB))
def list_versions(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound."""
    found = _versions(context, params)
    if not found:
        raise public_hub.no_content(params)
    return _listed(context, params, found)
