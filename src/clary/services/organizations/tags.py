"""Tags of accounts and of the root
(https://docs.aws.amazon.com/organizations/latest/APIReference/API_TagResource.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clary.services.context import Context
from clary.services.iam.entities import member_key
from clary.services.organizations.errors import no_target
from clary.services.organizations.rows import arn_of, require_managed
from clary.services.organizations.service import SERVICE
from clary.services.resources import Output, Params
from clary.services.tags import checked_tags, joined_tags, listed_tags

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction


def _require_target(context: Context, identifier: str) -> str:
    """The ARN. Raises TargetNotFoundException."""
    organization = require_managed(context)
    if identifier == organization.spec["RootId"]:
        return arn_of(organization, f"root/{identifier}")
    row = context.store.read.get(member_key(identifier))
    if row is None:
        raise no_target()
    return row.arn


@SERVICE.operation("TagResource")
def tag(context: Context, params: Params) -> Output:
    """Raises TargetNotFoundException."""
    arn, tags = _require_target(context, params["ResourceId"]), checked_tags(params["Tags"])

    def write(transaction: Transaction) -> None:
        joined_tags(transaction.tags(arn), tags)
        transaction.set_tags(arn, tags)

    context.store.write(write)
    return {}


@SERVICE.operation("UntagResource")
def untag(context: Context, params: Params) -> Output:
    """Raises TargetNotFoundException."""
    arn = _require_target(context, params["ResourceId"])
    context.store.write(lambda transaction: transaction.remove_tags(arn, params["TagKeys"]))
    return {}


@SERVICE.operation("ListTagsForResource")
def list_(context: Context, params: Params) -> Output:
    """Raises TargetNotFoundException."""
    return {"Tags": listed_tags(context.store.read.tags(_require_target(context, params["ResourceId"])))}
