"""How Logs keeps named things whose effect is only state."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.names import Arn
from clary.services.context import Context
from clary.services.logs.errors import invalid, invalid_token
from clary.services.logs.filters import limit_exceeded
from clary.services.resources import Params, now, present
from clary.store.rows import Key, Page, Query, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction


_POLICIES = ("accessPolicy", "policy")


def key_of(context: Context, kind: str, name: str) -> Key:
    """Of one of the caller's."""
    return Key(kind, context.account, context.region, name)


def arn_of(context: Context, kind: str, name: str) -> str:
    """`arn:aws:logs:…:KIND:NAME`."""
    return str(Arn("logs", context.region, context.account, f"{kind}:{name}"))


def put(context: Context, kind: str, name: str, spec: dict[str, Any], most: int, noun: str = "") -> Row:
    """A new one, or another in place of it. Raises LimitExceededException."""
    made = now()
    row = Row(key_of(context, kind, name), arn_of(context, noun or kind, name), "", made, made, present(spec))

    def change(transaction: Transaction) -> Row:
        there = transaction.get(row.key)
        if there is not None:
            return transaction.save(replace(there, spec={**row.spec, **_policy(there)}, modified=made))
        if most and len([each for each in transaction.rows(kind) if _beside(each.key, row.key)]) >= most:
            raise limit_exceeded()
        return transaction.insert(row)

    return context.store.write(change)


def _policy(row: Row) -> dict[str, Any]:
    """A destination's policy stays when its target changes."""
    return {name: row.spec[name] for name in _POLICIES if name in row.spec}


def _beside(key: Key, other: Key) -> bool:
    return (key.account, key.region) == (other.account, other.region)


def listed(context: Context, kind: str, params: Params, limit: int, prefix: str | None = None) -> Page:
    """A page of them, by name. Raises InvalidParameterException."""
    query = Query(
        kind=kind,
        account=context.account,
        region=context.region,
        sort_by="name",
        descending=False,
        limit=limit,
        token=params.get("nextToken"),
        name_prefix=prefix,
    )
    try:
        return context.store.read.page(query)
    except ValueError:
        raise invalid_token() from None


def checked_document(document: str) -> str:
    """A policy that is an object of JSON. Raises InvalidParameterException."""
    try:
        if isinstance(json.loads(document), dict):
            return document
    except (ValueError, RecursionError):
        pass
    raise invalid("Policy document is not valid JSON.")
