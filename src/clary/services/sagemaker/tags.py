"""Tags of SageMaker's resources (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AddTags.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clary.errors import ValidationError
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.sagemaker.errors import REQUESTED_RESOURCE_NOT_FOUND
from clary.services.sagemaker.service import SERVICE
from clary.services.tags import checked_tags, joined_tags, listed_tags

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store import Reader, View
    from clary.store.transaction import Transaction


def _require(context: Context, view: View | Reader, arn: str) -> str:
    """The ARN as its row has it, of the caller's account: names are in lower case there."""
    row = view.by_arn(arn) or view.by_arn(arn.lower())
    own = row is not None and (row.key.account, row.key.region) == (context.account, context.region)
    if row is None or not own or not row.arn.startswith("arn:aws:sagemaker:"):
        raise ValidationError(REQUESTED_RESOURCE_NOT_FOUND)
    return row.arn


@SERVICE.operation("AddTags")
def add(context: Context, params: Params) -> Output:
    """Raises ValidationError where the resource is not there, ResourceLimitExceeded beyond 50 tags."""
    added = checked_tags(params["Tags"])

    def change(transaction: Transaction) -> dict[str, str]:
        arn = _require(context, transaction, params["ResourceArn"])
        together = joined_tags(transaction.tags(arn), added)
        transaction.set_tags(arn, added)
        return together

    return {"Tags": listed_tags(context.store.write(change))}


@SERVICE.operation("ListTags")
def list_(context: Context, params: Params) -> Output:
    """All of them: a resource has no more tags than the smallest page."""
    arn = _require(context, context.store.read, params["ResourceArn"])
    return {"Tags": listed_tags(context.store.read.tags(arn))}


@SERVICE.operation("DeleteTags")
def delete(context: Context, params: Params) -> Output:
    """Keys that are not there are nothing."""

    def change(transaction: Transaction) -> None:
        transaction.remove_tags(_require(context, transaction, params["ResourceArn"]), params["TagKeys"])

    context.store.write(change)
    return {}
