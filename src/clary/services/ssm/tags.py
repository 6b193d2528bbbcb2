"""Tags of parameters
(https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AddTagsToResource.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clary.errors import AWSError
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.ssm.rows import key_of
from clary.services.ssm.service import SERVICE
from clary.services.tags import MOST, checked_tags, listed_tags
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction


def _require(context: Context, params: Params) -> Row:
    """Raises InvalidResourceType, InvalidResourceId."""
    if params["ResourceType"] != "Parameter":
        raise AWSError("InvalidResourceType", f"{params['ResourceType']} (Clary offers Parameter)")
    row = context.store.read.get(key_of(context, params["ResourceId"]))
    if row is None:
        raise AWSError("InvalidResourceId", "The resource ID is not valid. Verify that you entered the correct ID.")
    return row


@SERVICE.operation("AddTagsToResource")
def add(context: Context, params: Params) -> Output:
    """Raises InvalidResourceId, InvalidResourceType, TooManyTagsError."""
    arn, tags = _require(context, params).arn, checked_tags(params["Tags"])

    def write(transaction: Transaction) -> None:
        if len({**transaction.tags(arn), **tags}) > MOST:
            raise AWSError("TooManyTagsError", "The number of tags exceeds the limit of 50.")
        transaction.set_tags(arn, tags)

    context.store.write(write)
    return {}


@SERVICE.operation("RemoveTagsFromResource")
def remove(context: Context, params: Params) -> Output:
    """Raises InvalidResourceId, InvalidResourceType."""
    arn = _require(context, params).arn
    context.store.write(lambda transaction: transaction.remove_tags(arn, params["TagKeys"]))
    return {}


@SERVICE.operation("ListTagsForResource")
def list_(context: Context, params: Params) -> Output:
    """Raises InvalidResourceId, InvalidResourceType."""
    return {"TagList": listed_tags(context.store.read.tags(_require(context, params).arn))}
