"""The organization's row, its accounts', and how operations find them."""

from __future__ import annotations

from clary.errors import ValidationError
from clary.names import Arn
from clary.services.context import Context
from clary.services.iam.entities import MEMBER, ORGANIZATION, Rows, member_key
from clary.services.organizations.errors import invalid, no_account, not_in_use, not_yours
from clary.services.placed import page
from clary.services.resources import Output, Params, present
from clary.store.rows import Key, Row

_ENTRIES = 20
"""Entries of a page where the request does not say how many."""


def organization_key(context: Context) -> Key:
    """The one organization there can be: the account that this Clary began with manages it."""
    return Key(ORGANIZATION, context.settings.account_id, "", ORGANIZATION)


def arn_of(organization: Row, resource: str) -> str:
    """`arn:aws:organizations::MANAGEMENT:account/o-exampleorgid/111111111111`."""
    kind, _, rest = resource.partition("/")
    return str(Arn("organizations", "", organization.key.account, f"{kind}/{organization.spec['Id']}/{rest}"))


def require_organization(context: Context, rows: Rows | None = None) -> Row:
    """That of the caller's account. Raises AWSOrganizationsNotInUseException."""
    row = (rows or context.store.read).get(organization_key(context))
    if row is None or not is_member(context, context.account):
        raise not_in_use()
    return row


def require_managed(context: Context, rows: Rows | None = None) -> Row:
    """The same for the management account alone. Raises AccessDeniedException too."""
    row = require_organization(context, rows)
    if context.account != row.key.account:
        raise not_yours()
    return row


def is_member(context: Context, account: str) -> bool:
    """Whether the account is in the organization; the one that manages it is."""
    return context.store.read.get(member_key(account)) is not None


def members(context: Context) -> list[Row]:
    """All accounts of the organization, in the order in which they joined."""
    return sorted(context.store.read.rows(MEMBER), key=lambda row: row.created)


def require_account(rows: Rows, key: Key) -> Row:
    """Raises AccountNotFoundException."""
    row = rows.get(key)
    if row is None:
        raise no_account()
    return row


def listed(member: str, found: list[tuple[str, Output]], params: Params) -> Output:
    """One page of `(place, entry)`. Raises InvalidInputException for a token of another request."""
    placed = [([place], each) for place, each in found]
    try:
        shown, token = page(placed, params, params.get("MaxResults") or _ENTRIES, descending=False)
    except ValidationError as error:
        raise invalid() from error
    return present({member: shown, "NextToken": token})
