"""Functions, versions and aliases as rows: found, and changed so that every edge knows before the answer."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from clary.lifecycles.function import ALIAS_KIND, KIND, VERSION_KIND
from clary.services.context import Context
from clary.services.lambda_.errors import no_function, outdated
from clary.services.lambda_.references import LATEST, Reference, reference
from clary.services.resources import Output, Params, now, page
from clary.store.rows import Key, Query, Row
from clary.workload.functions.published import publish

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction
    from clary.store.view import View

T = TypeVar("T")

PAGE = 50
"""Of every list of Lambda's."""


def of(context: Context, params: Params) -> Reference:
    """What the request names."""
    return reference(context.call, params)


def key_of(named: Reference) -> Key:
    """The function's."""
    return Key(KIND, named.account, named.region, named.name)


def version_key(named: Reference, number: str) -> Key:
    """A published version's."""
    return Key(VERSION_KIND, named.account, named.region, f"{named.name}:{number}")


def alias_key(named: Reference, name: str) -> Key:
    """An alias's."""
    return Key(ALIAS_KIND, named.account, named.region, f"{named.name}:{name}")


def fresh_id() -> str:
    """A RevisionId."""
    return str(uuid.uuid4())


def write(context: Context, change: Callable[[Transaction], T]) -> T:
    """Carry out a change of functions; when this returns, every edge invokes by it."""
    result = context.store.write(change)
    publish(context.store.read, context.settings)
    return result


def require(view: View | Any, named: Reference) -> Row:  # noqa: ANN401  a reader or a transaction
    """The function's row. Raises ResourceNotFoundException."""
    row: Row | None = view.get(key_of(named))
    if row is None:
        raise no_function(named.arn)
    return row


def require_qualified(view: View | Any, named: Reference) -> Row:  # noqa: ANN401  as above
    """The row of the version that the qualifier means. Raises ResourceNotFoundException."""
    row = require(view, named)
    if named.qualifier in ("", LATEST):
        return row
    alias = view.get(alias_key(named, named.qualifier))
    number = alias.spec["FunctionVersion"] if alias else named.qualifier
    found: Row | None = row if number == LATEST else view.get(version_key(named, number))
    if found is None:
        raise no_function(named.arn)
    return found


def change_function(context: Context, named: Reference, change: Callable[[Row], Row]) -> Row:
    """Replace the function's row by what `change` makes of it. Raises ResourceNotFoundException."""

    def apply(transaction: Transaction) -> Row:
        return transaction.save(replace(change(require(transaction, named)), modified=now()))

    return write(context, apply)


def check_revision(row: Row, params: Params) -> None:
    """Raises PreconditionFailedException."""
    if params.get("RevisionId") and params["RevisionId"] != row.state["revision"]:
        raise outdated()


def listed(
    context: Context, kind: str, params: Params, member: str, shown: Callable[[Row], Output], parent: str | None = None
) -> Output:
    """A list, by name, with its marker. Raises ValidationException for a marker of another list."""
    query = Query(
        kind=kind,
        account=context.account,
        region=context.region,
        sort_by="name",
        descending=False,
        limit=min(params.get("MaxItems") or PAGE, PAGE),
        token=params.get("Marker") or None,
        parent=parent,
    )
    found = page(context, query)
    more = {"NextMarker": found.token} if found.token else {}
    return {member: [shown(row) for row in found.rows], **more}
