"""Tags of log groups, by both families of operations
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagResource.html)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from clary.errors import AWSError
from clary.services.context import Context
from clary.services.logs.errors import no_resource
from clary.services.logs.rows import require_group
from clary.services.logs.service import SERVICE
from clary.services.resources import Output, Params
from clary.services.tags import MOST

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction


def _named(context: Context, params: Params) -> str:
    """The ARN of the group that `resourceArn` or `logGroupName` names."""
    if "logGroupName" in params:
        return require_group(context, params).arn
    arn: str = params["resourceArn"].removesuffix(":*")
    if not arn.startswith("arn:aws:logs:") or context.store.read.by_arn(arn) is None:
        raise no_resource()
    return arn


def _add(context: Context, arn: str, tags: Mapping[str, str]) -> Output:
    def change(transaction: Transaction) -> None:
        if len({**transaction.tags(arn), **tags}) > MOST:
            raise AWSError("TooManyTagsException", f"A resource can have no more than {MOST} tags.")
        transaction.set_tags(arn, tags)

    context.store.write(change)
    return {}


def _remove(context: Context, arn: str, keys: Iterable[str]) -> Output:
    context.store.write(lambda transaction: transaction.remove_tags(arn, keys))
    return {}


@SERVICE.operation("TagResource")
@SERVICE.operation("TagLogGroup")
def add(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, TooManyTagsException."""
    return _add(context, _named(context, params), params["tags"])


@SERVICE.operation("UntagResource")
def remove(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    return _remove(context, _named(context, params), params["tagKeys"])


@SERVICE.operation("UntagLogGroup")
def remove_from_group(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    return _remove(context, _named(context, params), params["tags"])


@SERVICE.operation("ListTagsForResource")
@SERVICE.operation("ListTagsLogGroup")
def list_(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    return {"tags": context.store.read.tags(_named(context, params))}
