"""Groups of model packages, and the policies on them
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackageGroup.html)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from clary.errors import AWSError, ValidationError
from clary.services import resources
from clary.services.context import Context
from clary.services.declaring import changed, declare, named
from clary.services.resources import Output, Params, Resource
from clary.services.sagemaker.kept_errors import invalid
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

PACKAGE_KIND = "model-package"


def _is_empty(transaction: Transaction, row: Row) -> None:
    if transaction.children(PACKAGE_KIND, row.key):
        raise AWSError("ConflictException", f"Model Package Group {row.arn} cannot be deleted: it has Model Packages.")


GROUP = Resource(
    kind="model-package-group",
    noun="ModelPackageGroup",
    list_member="ModelPackageGroupSummaryList",
    descending=False,
    status="Completed",
    exists=invalid("Model Package Group already exists: {arn}"),
    missing=invalid("ModelPackageGroup {arn} does not exist."),
    unused=_is_empty,
)

declare(SERVICE, GROUP, effect="keeps state")


def _group(context: Context, params: Params) -> Row:
    row = resources.find(GROUP, context, context.store.read, params["ModelPackageGroupName"])
    if row is None:
        raise ValidationError(f"Cannot find Model Package Group: {params['ModelPackageGroupName']}")
    return row


def _policy(row: Row) -> str:
    found = row.state.get("policy")
    if found is None:
        raise ValidationError(f"Cannot find resource policy for: {row.arn}")
    return str(found)


@SERVICE.operation("PutModelPackageGroupPolicy", effect="keeps state", on=named(GROUP))
def put_policy(context: Context, params: Params) -> Output:
    """Raises ValidationError where it is no policy."""
    text = params["ResourcePolicy"]
    try:
        statements = json.loads(text)["Statement"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ValidationError("Invalid resource policy: it must be JSON with Statement.") from None
    if not isinstance(statements, list | dict):
        raise ValidationError("Invalid resource policy: Statement must be a list.")
    return _with_policy(context, params, text)


def _with_policy(context: Context, params: Params, text: str | None) -> Output:
    def change(row: Row) -> Row:
        if text is None:
            _policy(row)
        new = changed(context, row, dict(row.spec))
        return replace(new, state=resources.present({**new.state, "policy": text}))

    row = resources.change_row(GROUP, context, _group(context, params).key.name, change)
    return {"ModelPackageGroupArn": row.arn}


@SERVICE.operation("GetModelPackageGroupPolicy", effect="keeps state", on=named(GROUP))
def get_policy(context: Context, params: Params) -> Output:
    """Raises ValidationError where there is none."""
    return {"ResourcePolicy": _policy(_group(context, params))}


@SERVICE.operation("DeleteModelPackageGroupPolicy", effect="keeps state", on=named(GROUP))
def delete_policy(context: Context, params: Params) -> Output:
    """Raises ValidationError where there is none."""
    _with_policy(context, params, None)
    return {}
