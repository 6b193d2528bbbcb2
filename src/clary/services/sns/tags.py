"""Tags of topics (https://docs.aws.amazon.com/sns/latest/api/API_TagResource.html)."""

from __future__ import annotations

from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.sns.errors import invalid, no_resource
from clary.services.sns.names import KIND
from clary.services.sns.service import SERVICE
from clary.services.tags import checked_tags, joined_tags, listed_tags


def _named(context: Context, params: Params) -> str:
    arn: str = params["ResourceArn"]
    row = context.store.read.by_arn(arn)
    if row is None or row.key.kind != KIND:
        raise no_resource()
    return arn


@SERVICE.operation("TagResource")
def add(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound, InvalidParameter."""
    arn, given = _named(context, params), params["Tags"]
    if len({tag["Key"] for tag in given}) < len(given):
        raise invalid("Duplicated keys are not allowed.")
    tags = checked_tags(given)
    joined_tags(context.store.read.tags(arn), tags)
    context.store.write(lambda transaction: transaction.set_tags(arn, tags))
    return {}


@SERVICE.operation("UntagResource")
def remove(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound."""
    arn = _named(context, params)
    context.store.write(lambda transaction: transaction.remove_tags(arn, params["TagKeys"]))
    return {}


@SERVICE.operation("ListTagsForResource")
def list_(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound."""
    return {"Tags": listed_tags(context.store.read.tags(_named(context, params)))}
