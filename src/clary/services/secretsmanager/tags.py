"""Tags of secrets (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_TagResource.html)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from clary.errors import ValidationError
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.secretsmanager.errors import invalid
from clary.services.secretsmanager.found import on_secret
from clary.services.tags import MOST, checked_tags
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction


def checked(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """By key; a tag needs no value. Raises InvalidParameterException."""
    if not all(tag.get("Key") for tag in tags):
        raise invalid("A tag needs a key.")
    try:
        return checked_tags([{"Key": tag["Key"], "Value": tag.get("Value") or ""} for tag in tags])
    except ValidationError as error:
        raise invalid(error.message) from None


@on_secret("TagResource")
def add(context: Context, params: Params, row: Row) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterException."""
    tags = checked(params["Tags"])

    def write(transaction: Transaction) -> None:
        if len({**transaction.tags(row.arn), **tags}) > MOST:
            raise invalid("The number of tags exceeds the limit of 50.")
        transaction.set_tags(row.arn, tags)

    context.store.write(write)
    return {}


@on_secret("UntagResource")
def remove(context: Context, params: Params, row: Row) -> Output:
    """Raises ResourceNotFoundException."""
    context.store.write(lambda transaction: transaction.remove_tags(row.arn, params["TagKeys"]))
    return {}
