"""Tags of functions (https://docs.aws.amazon.com/lambda/latest/api/API_TagResource.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clary.lifecycles.function import KIND
from clary.services.context import Context
from clary.services.lambda_.errors import invalid, no_function
from clary.services.lambda_.service import SERVICE
from clary.services.resources import Output, Params
from clary.services.tags import checked_tags, joined_tags

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_PARTS = 7
"""Of a function's ARN without a qualifier."""


def _arn(context: Context, params: Params) -> str:
    """Raises ResourceNotFoundException, InvalidParameterValueException."""
    arn: str = params["Resource"]
    if len(arn.split(":")) > _PARTS:
        raise invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
    row = context.store.read.by_arn(arn)
    if row is None or row.key.kind != KIND:
        raise no_function(arn)
    return arn


@SERVICE.operation("TagResource")
def tag(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterValueException."""
    arn = _arn(context, params)
    wanted = checked_tags([{"Key": key, "Value": value} for key, value in params["Tags"].items()])

    def change(transaction: Transaction) -> None:
        joined_tags(transaction.tags(arn), wanted)
        transaction.set_tags(arn, wanted)

    context.store.write(change)
    return {}


@SERVICE.operation("UntagResource")
def untag(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterValueException."""
    arn = _arn(context, params)
    context.store.write(lambda transaction: transaction.remove_tags(arn, params["TagKeys"]))
    return {}


@SERVICE.operation("ListTags")
def list_(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterValueException."""
    return {"Tags": context.store.read.tags(_arn(context, params))}
