"""Tags of scalable targets
(https://docs.aws.amazon.com/autoscaling/application/APIReference/API_TagResource.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clary.scaling.rows import TARGET_KIND
from clary.services.applicationautoscaling.errors import no_resource, too_many_tags
from clary.services.applicationautoscaling.service import SERVICE
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.tags import MOST
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction


@SERVICE.operation("TagResource")
def add(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, TooManyTagsException."""
    arn = params["ResourceARN"]

    def change(transaction: Transaction) -> None:
        _check(transaction.by_arn(arn), arn)
        if len({**transaction.tags(arn), **params["Tags"]}) > MOST:
            raise too_many_tags(arn, MOST)
        transaction.set_tags(arn, params["Tags"])

    context.store.write(change)
    return {}


@SERVICE.operation("UntagResource")
def remove(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    arn = params["ResourceARN"]
    _check(context.store.read.by_arn(arn), arn)
    context.store.write(lambda transaction: transaction.remove_tags(arn, params["TagKeys"]))
    return {}


@SERVICE.operation("ListTagsForResource")
def listed(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    arn = params["ResourceARN"]
    _check(context.store.read.by_arn(arn), arn)
    return {"Tags": context.store.read.tags(arn)}


def _check(row: Row | None, arn: str) -> None:
    if row is None or row.key.kind != TARGET_KIND:
        raise no_resource(arn)
