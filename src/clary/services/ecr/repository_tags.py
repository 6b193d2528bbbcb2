"""Tags of repositories: what bills and policies go by, not images' tags
(https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-using-tags.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clary.errors import AWSError, ValidationError
from clary.names import Arn
from clary.services.context import Context
from clary.services.ecr.errors import invalid, no_repository
from clary.services.ecr.names import REPOSITORY
from clary.services.ecr.repositories import MOST_TAGS
from clary.services.ecr.rows import still_there
from clary.services.ecr.service import SERVICE
from clary.services.resources import Output, Params
from clary.services.tags import checked_tags, listed_tags
from clary.store.rows import Key

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_PREFIX = "repository/"


def _named(params: Params) -> Key:
    """The repository of `resourceArn`. Raises InvalidParameterException."""
    try:
        arn = Arn.parse(params["resourceArn"])
    except ValueError:
        arn = Arn("", "", "", "")
    if arn.service != "ecr" or not arn.resource.startswith(_PREFIX):
        raise invalid("resourceArn", "Invalid ARN")
    return Key(REPOSITORY, arn.account, arn.region, arn.resource.removeprefix(_PREFIX))


@SERVICE.operation("TagResource")
def add(context: Context, params: Params) -> Output:
    """Raises RepositoryNotFoundException, InvalidTagParameterException, TooManyTagsException."""
    key = _named(params)
    try:
        tags = checked_tags(params["tags"])
    except ValidationError as error:
        raise AWSError("InvalidTagParameterException", error.message) from None

    def change(transaction: Transaction) -> None:
        row = still_there(transaction, key)
        if len({**transaction.tags(row.arn), **tags}) > MOST_TAGS:
            raise AWSError("TooManyTagsException", f"A repository can have at most {MOST_TAGS} tags.")
        transaction.set_tags(row.arn, tags)

    context.store.write(change)
    return {}


@SERVICE.operation("UntagResource")
def remove(context: Context, params: Params) -> Output:
    """Raises RepositoryNotFoundException."""
    key = _named(params)

    def change(transaction: Transaction) -> None:
        transaction.remove_tags(still_there(transaction, key).arn, params["tagKeys"])

    context.store.write(change)
    return {}


@SERVICE.operation("ListTagsForResource")
def listed(context: Context, params: Params) -> Output:
    """Raises RepositoryNotFoundException."""
    key = _named(params)
    row = context.store.read.get(key)
    if row is None:
        raise no_repository(key)
    return {"tags": listed_tags(context.store.read.tags(row.arn))}
