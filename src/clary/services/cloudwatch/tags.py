"""Tags of alarms (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_TagResource.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clary.errors import AWSError
from clary.services.cloudwatch.service import SERVICE
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.tags import checked_tags, joined_tags, listed_tags

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction


@SERVICE.operation("TagResource")
def add(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    arn, wanted = params["ResourceARN"], checked_tags(params["Tags"])

    def change(transaction: Transaction) -> None:
        if transaction.by_arn(arn) is None:
            raise _no_resource(arn)
        joined_tags(transaction.tags(arn), wanted)
        transaction.set_tags(arn, wanted)

    context.store.write(change)
    return {}


@SERVICE.operation("UntagResource")
def remove(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    arn = params["ResourceARN"]
    if context.store.read.by_arn(arn) is None:
        raise _no_resource(arn)
    context.store.write(lambda transaction: transaction.remove_tags(arn, params["TagKeys"]))
    return {}


@SERVICE.operation("ListTagsForResource")
def listed(context: Context, params: Params) -> Output:
    """Ordered by key; none of what is not there, as on AWS."""
    return {"Tags": listed_tags(context.store.read.tags(params["ResourceARN"]))}


def _no_resource(arn: str) -> AWSError:
    members = {"ResourceType": "alarm", "ResourceId": arn}
    return AWSError("ResourceNotFoundException", f"{arn} does not exist.", status=404, members=members)
