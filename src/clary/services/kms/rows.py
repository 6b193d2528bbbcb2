"""How operations find keys: by id, ARN, alias, or alias ARN."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from clary.errors import AWSError
from clary.keys import families
from clary.keys.rows import ALIAS, KIND
from clary.names import Arn
from clary.services.context import Context
from clary.services.iam.entities import MEMBER
from clary.services.kms.errors import bad_marker, foreign_arn, no_alias, no_key, no_such_id
from clary.services.kms.names import AWS_PREFIX, PREFIX, alias_arn, is_id, key_arn
from clary.services.kms.service_keys import SERVICES, prospective
from clary.services.resources import Output, Params, now, present
from clary.store.rows import Key, Query, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_DEFAULT_PAGE = 100
_ALIAS = re.compile(r"alias/[a-zA-Z0-9/_-]+")


class Named(NamedTuple):
    """What a request names."""

    account: str
    name: str
    """A key's id, or an alias."""


def alias_key(context: Context, name: str) -> Key:
    """The key of an alias's row."""
    return Key(ALIAS, context.account, context.region, name)


def find(context: Context, given: str, *, aliases: bool, anyone: bool = False) -> Row:
    """The key that a request names; with `anyone` another account's too, by its ARN. An AWS managed one that nobody has
    used yet has a row of version 0: it is kept once its use is allowed. Raises NotFoundException."""
    account, name = named = _named(context, given, anyone=anyone)
    if name.startswith(PREFIX) and aliases:
        return _by_alias(context, named)
    if not is_id(name):
        raise no_such_id(given)
    row = context.store.read.get(Key(KIND, account, context.region, name))
    if row is None:
        raise no_key(key_arn(context.region, account, name))
    return row


def of_id(context: Context, name: str) -> Row | None:
    """The key of an id, whichever account's; the caller's own is looked at first."""
    others = (row.key.name for row in context.store.read.rows(MEMBER))
    for account in dict.fromkeys((context.account, context.settings.account_id, *others)):
        row = context.store.read.get(Key(KIND, account, context.region, name))
        if row is not None:
            return row
    return None


def _named(context: Context, given: str, *, anyone: bool) -> Named:
    """Raises NotFoundException for an ARN of elsewhere."""
    if not given.startswith("arn:"):
        return Named(context.account, given)
    try:
        arn = Arn.parse(given)
    except ValueError:
        raise foreign_arn(given) from None
    if arn.region != context.region:
        raise foreign_arn(arn.region)
    if arn.service != "kms" or (arn.account != context.account and not anyone):
        raise foreign_arn(given)
    return Named(arn.account, arn.resource.removeprefix("key/"))


def _by_alias(context: Context, named: Named) -> Row:
    account, name = named
    alias = context.store.read.get(Key(ALIAS, account, context.region, name))
    row = context.store.read.get(replace(alias.key, kind=KIND, name=alias.spec["TargetKeyId"])) if alias else None
    if row is not None:
        return row
    service = name.removeprefix(AWS_PREFIX)
    if name.startswith(AWS_PREFIX) and service in SERVICES and account == context.account:
        return prospective(context, service)
    raise no_alias(alias_arn(context.region, account, name))


def target(context: Context, given: str) -> Key:
    """The key that an alias is to point to. Raises NotFoundException."""
    return find(context, given, aliases=False).key


def change(context: Context, row: Row, changed: Callable[[Row], Row]) -> Row:
    """Replace a key's row by what `changed` makes of it, with nothing in between. Raises NotFoundException."""

    def apply(transaction: Transaction) -> Row:
        there = transaction.get(row.key)
        if there is None:
            raise no_key(row.arn)
        return families.save(transaction, replace(changed(there), modified=now()))

    stored = context.store.write(apply)
    context.wake(stored.key)
    return stored


def page(
    context: Context, kind: str, params: Params, member: str, entry: Callable[[Row], Output], parent: str | None = None
) -> Output:
    """One page of rows, ordered by name, as all lists of KMS have them. Raises InvalidMarkerException."""
    query = Query(
        kind,
        context.account,
        context.region,
        "name",
        descending=False,
        limit=params.get("Limit") or _DEFAULT_PAGE,
        token=params.get("Marker"),
        parent=parent,
    )
    try:
        found = context.store.read.page(query)
    except ValueError:
        raise bad_marker() from None
    shown = {member: [entry(row) for row in found.rows], "NextMarker": found.token}
    return {**present(shown), "Truncated": found.token is not None}


def check_alias(name: str) -> AWSError | None:
    """What is wrong with an alias's name."""
    if not name.startswith(PREFIX):
        text = 'Alias must start with the prefix "alias/". Please see '
        return AWSError(
            "ValidationException", f"{text}https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
        )
    if name.startswith(AWS_PREFIX):
        return AWSError("NotAuthorizedException", "")
    if not _ALIAS.fullmatch(name):
        return AWSError("InvalidAliasNameException", "Alias contains invalid characters for an alias")
    return None
