"""One page of rows: the statement for a query's shape, built once, and the opaque token that goes on after it.

Paging is by key, never by offset: the token names the last row's place in the order, so that rows added or deleted in
between neither repeat nor hide others.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select, tuple_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Integer

from clary.store.records import microseconds
from clary.store.rows import Query, SortBy
from clary.store.schema import RESOURCE

NO_LIMIT = {"row_limit": -1}
"""For a reader that stops by itself."""

_TIMES = range(-(2**63), 2**63)
"""That a database takes for a number."""

_CODEPOINT_AFTER = {0xD7FF: 0xE000}  # UTF-8 has no surrogates


class _Position(FunctionElement[int]):
    """Where one text stands in another, from 1; 0 where it does not. Bytewise, unlike LIKE."""

    name = "position_in"
    type = Integer()
    inherit_cache = True


@compiles(_Position, "sqlite")
def _instr(element: _Position, compiler: SQLCompiler, **options: object) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


@compiles(_Position, "postgresql")
def _strpos(element: _Position, compiler: SQLCompiler, **options: object) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"


@dataclass(frozen=True)
class _Shape:
    """What of a query decides its statement's text."""

    sort_by: SortBy
    descending: bool
    after: bool
    filters: frozenset[str]


_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "name_contains": _Position(RESOURCE.c.name, bindparam("name_contains")) > 0,
    "name_from": RESOURCE.c.name >= bindparam("name_from"),
    "name_below": RESOURCE.c.name < bindparam("name_below"),
    "statuses": RESOURCE.c.status.in_(bindparam("statuses", expanding=True)),
    "created_after": RESOURCE.c.created > bindparam("created_after"),
    "created_before": RESOURCE.c.created < bindparam("created_before"),
    "modified_after": RESOURCE.c.modified > bindparam("modified_after"),
    "modified_before": RESOURCE.c.modified < bindparam("modified_before"),
    "parent": RESOURCE.c.parent == bindparam("parent"),
}


@lru_cache(maxsize=1024)
def _statement(shape: _Shape) -> Select[Any]:
    statement = select(RESOURCE).where(
        RESOURCE.c.kind == bindparam("kind"),
        RESOURCE.c.account == bindparam("account"),
        RESOURCE.c.region == bindparam("region"),
        *(_CONDITIONS[name] for name in sorted(shape.filters)),
    )
    columns = [RESOURCE.c.name] if shape.sort_by == "name" else [RESOURCE.c[shape.sort_by], RESOURCE.c.name]
    if shape.after:
        place = tuple_(*columns)
        last = tuple_(*(bindparam(f"last_{column.name}", type_=column.type) for column in columns))
        statement = statement.where(place < last if shape.descending else place > last)
    ordered = (column.desc() if shape.descending else column.asc() for column in columns)
    return statement.order_by(*ordered).limit(bindparam("row_limit"))


def successor(prefix: str) -> str | None:
    """The least text above every text that begins with `prefix`, bytewise; None where there is none."""
    while prefix:
        code = ord(prefix[-1])
        if code < 0x10FFFF:
            return prefix[:-1] + chr(_CODEPOINT_AFTER.get(code, code + 1))
        prefix = prefix[:-1]
    return None


def _filters(query: Query) -> dict[str, Any]:
    values: dict[str, Any] = {"name_contains": query.name_contains, "parent": query.parent}
    if query.name_prefix:
        values |= {"name_from": query.name_prefix, "name_below": successor(query.name_prefix)}
    if query.statuses is not None:
        values["statuses"] = list(query.statuses)
    for bound in ("created_after", "created_before", "modified_after", "modified_before"):
        moment = getattr(query, bound)
        values[bound] = None if moment is None else microseconds(moment)
    return {name: value for name, value in values.items() if value is not None}


def prepared(query: Query) -> tuple[Select[Any], dict[str, Any]]:
    """The statement and its values; one row more than the page is asked for, to know whether another follows.

    Raises ValueError for a token that is not of this query.
    """
    filters = _filters(query)
    values = {"kind": query.kind, "account": query.account, "region": query.region, "row_limit": query.limit + 1}
    if query.token is not None:
        place = _read_token(query)
        names = ("name",) if query.sort_by == "name" else (query.sort_by, "name")
        values |= {f"last_{name}": value for name, value in zip(names, place, strict=True)}
    shape = _Shape(query.sort_by, query.descending, query.token is not None, frozenset(filters))
    return _statement(shape), values | filters


def _fingerprint(query: Query) -> str:
    """Of everything in a query that a following page must share."""
    lasting = replace(query, token=None, limit=0)
    said = json.dumps([str(getattr(lasting, field.name)) for field in fields(lasting)])
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def token_after(query: Query, record: dict[str, Any]) -> str:
    """The token of the page that follows `record`."""
    place = [record["name"]] if query.sort_by == "name" else [record[query.sort_by], record["name"]]
    text = json.dumps([_fingerprint(query), *place], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_token(query: Query) -> list[Any]:
    token = query.token or ""
    try:
        read = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, RecursionError) as unreadable:
        raise ValueError("not a page token") from unreadable
    timed = query.sort_by in ("created", "modified")
    expected = [str, str] if query.sort_by == "name" else [str, int if timed else str, str]
    if not isinstance(read, list) or [type(part) for part in read] != expected or read[0] != _fingerprint(query):
        raise ValueError("a page token of another query")
    if timed and read[1] not in _TIMES:
        raise ValueError("a page token of no time")
    return read[1:]


COUNT = (
    select(func.count())
    .select_from(RESOURCE)
    .where(
        RESOURCE.c.kind == bindparam("kind"),
        RESOURCE.c.account == bindparam("account"),
        RESOURCE.c.region == bindparam("region"),
    )
)
