"""Tags of keys (https://docs.aws.amazon.com/kms/latest/APIReference/API_TagResource.html)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from clary.services.context import Context
from clary.services.kms.errors import bad_tag
from clary.services.kms.keyed import check_not_going, on_key
from clary.services.placed import page
from clary.services.resources import Output, Params, present
from clary.services.tags import MOST
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_DEFAULT_PAGE = 50


def checked(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """By key. Raises TagException."""
    found = {tag["TagKey"]: tag["TagValue"] for tag in tags}
    if len(found) < len(tags):
        raise bad_tag("Duplicate tag keys")
    if len(found) > MOST:
        raise bad_tag("Too many tags")
    if any(name.lower().startswith("aws:") for name in found):
        raise bad_tag("Tags beginning with aws: are reserved")
    return found


@on_key("TagResource")
def add(context: Context, params: Params, row: Row) -> Output:
    """Raises NotFoundException, TagException, KMSInvalidStateException."""
    check_not_going(row)
    tags = checked(params["Tags"])

    def write(transaction: Transaction) -> None:
        if len({**transaction.tags(row.arn), **tags}) > MOST:
            raise bad_tag("Too many tags")
        transaction.set_tags(row.arn, tags)

    context.store.write(write)
    return {}


@on_key("UntagResource")
def remove(context: Context, params: Params, row: Row) -> Output:
    """Raises NotFoundException, KMSInvalidStateException."""
    check_not_going(row)
    context.store.write(lambda transaction: transaction.remove_tags(row.arn, params["TagKeys"]))
    return {}


@on_key("ListResourceTags")
def list_(context: Context, params: Params, row: Row) -> Output:
    """By key. Raises NotFoundException."""
    placed = [([name], {"TagKey": name, "TagValue": value}) for name, value in context.store.read.tags(row.arn).items()]
    asked = {"NextToken": params.get("Marker"), "key": row.arn}
    shown, token = page(placed, asked, params.get("Limit") or _DEFAULT_PAGE, descending=False)
    return {**present({"Tags": shown, "NextMarker": token}), "Truncated": token is not None}
