"""Reading rows: the same questions on a connection that reads and inside a transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, bindparam, select

from clary.store import paging
from clary.store.engines import reading_engine
from clary.store.points import PointReader
from clary.store.records import key_values, row_of
from clary.store.rows import Key, Page, Query, Row
from clary.store.schema import RESOURCE, TAG

T = TypeVar("T")

Wanted = Callable[[Row], bool]
"""Whether a row belongs to a page."""

SAME_KEY = (
    RESOURCE.c.kind == bindparam("b_kind"),
    RESOURCE.c.account == bindparam("b_account"),
    RESOURCE.c.region == bindparam("b_region"),
    RESOURCE.c.name == bindparam("b_name"),
)

_GET = select(RESOURCE).where(*SAME_KEY)
_BY_ARN = select(RESOURCE).where(RESOURCE.c.arn == bindparam("arn")).limit(1)
_BY_KIND = select(RESOURCE).where(RESOURCE.c.kind == bindparam("kind")).order_by(RESOURCE.c.created, RESOURCE.c.name)
_BY_STATUS = _BY_KIND.where(RESOURCE.c.status.in_(bindparam("statuses", expanding=True)))
_CHILDREN = (
    select(RESOURCE)
    .where(
        RESOURCE.c.kind == bindparam("kind"),
        RESOURCE.c.account == bindparam("account"),
        RESOURCE.c.region == bindparam("region"),
        RESOURCE.c.parent == bindparam("parent"),
    )
    .order_by(RESOURCE.c.name)
)
_TAGS = select(TAG.c.key, TAG.c.value).where(TAG.c.arn == bindparam("arn")).order_by(TAG.c.key)
_TAGS_BELOW = select(TAG).where(TAG.c.arn >= bindparam("first"), TAG.c.arn < bindparam("beyond")).order_by(TAG.c.key)


class View:
    """What one connection sees."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, key: Key) -> Row | None:
        """The row, or None."""
        record = self._connection.execute(_GET, key_values(key)).mappings().first()
        return row_of(dict(record)) if record is not None else None

    def by_arn(self, arn: str) -> Row | None:
        """The row that bears `arn`, or None."""
        record = self._connection.execute(_BY_ARN, {"arn": arn}).mappings().first()
        return row_of(dict(record)) if record is not None else None

    def page(self, query: Query, wanted: Wanted | None = None) -> Page:
        """One page, and the token of the next; of the rows that are `wanted`, where the query cannot tell.

        Raises ValueError for a token of another query.
        """
        statement, values = paging.prepared(query)
        if wanted is not None:
            return self._sifted(query, self._connection.execute(statement, values | paging.NO_LIMIT), wanted)
        records = [dict(record) for record in self._connection.execute(statement, values).mappings()]
        shown = records[: query.limit]
        token = paging.token_after(query, shown[-1]) if shown and len(records) > len(shown) else None
        return Page(tuple(row_of(record) for record in shown), token)

    @staticmethod
    def _sifted(query: Query, result: CursorResult[Any], wanted: Wanted) -> Page:
        """Reads on until the page is full: the rest stays unread."""
        shown: list[Row] = []
        with closing(result):
            last: dict[str, Any] = {}
            for record in map(dict, result.mappings()):
                row = row_of(record)
                if not wanted(row):
                    continue
                if len(shown) == query.limit:
                    return Page(tuple(shown), paging.token_after(query, last))
                shown.append(row)
                last = record
        return Page(tuple(shown), None)

    def rows(self, kind: str, statuses: Sequence[str] | None = None) -> list[Row]:
        """All rows of a kind in all accounts and regions, oldest first; with `statuses` only those in one of them."""
        values: dict[str, Any] = {"kind": kind}
        if statuses is None:
            found = self._connection.execute(_BY_KIND, values)
        else:
            found = self._connection.execute(_BY_STATUS, values | {"statuses": list(statuses)})
        return [row_of(dict(record)) for record in found.mappings()]

    def children(self, kind: str, parent: Key) -> list[Row]:
        """All rows of a kind below another row, by name."""
        values = {"kind": kind, "account": parent.account, "region": parent.region, "parent": parent.name}
        return [row_of(dict(record)) for record in self._connection.execute(_CHILDREN, values).mappings()]

    def count(self, kind: str, account: str, region: str) -> int:
        """How many rows of a kind there are."""
        values = {"kind": kind, "account": account, "region": region}
        return int(self._connection.execute(paging.COUNT, values).scalar_one())

    def tags(self, arn: str) -> dict[str, str]:
        """A resource's tags, ordered by key."""
        return {tag.key: tag.value for tag in self._connection.execute(_TAGS, {"arn": arn})}

    def tags_below(self, prefix: str) -> dict[str, dict[str, str]]:
        """The tags of all resources whose ARN begins with `prefix`, by ARN; those that have none are left out."""
        found: dict[str, dict[str, str]] = {}
        bounds = {"first": prefix, "beyond": paging.successor(prefix)}
        for tag in self._connection.execute(_TAGS_BELOW, bounds):
            found.setdefault(tag.arn, {})[tag.key] = tag.value
        return found


class Reader:
    """Reads from any thread; each question sees all that was committed before it.

    A process that never writes opens one on the database by itself: `Reader(database)`.
    """

    def __init__(self, database: Path) -> None:
        self._engine = reading_engine(database)
        self._points = PointReader(database)

    def _ask(self, question: Callable[[View], T]) -> T:
        with self._engine.connect() as connection:
            return question(View(connection))

    def get(self, key: Key) -> Row | None:
        """The row, or None."""
        return self._points.get(key)

    def by_arn(self, arn: str) -> Row | None:
        """The row that bears `arn`, or None."""
        return self._points.by_arn(arn)

    def page(self, query: Query, wanted: Wanted | None = None) -> Page:
        """One page, and the token of the next. Raises ValueError for a token of another query."""
        return self._ask(lambda view: view.page(query, wanted))

    def rows(self, kind: str, statuses: Sequence[str] | None = None) -> list[Row]:
        """All rows of a kind in all accounts and regions, oldest first; with `statuses` only those in one of them."""
        return self._ask(lambda view: view.rows(kind, statuses))

    def children(self, kind: str, parent: Key) -> list[Row]:
        """All rows of a kind below another row, by name."""
        return self._ask(lambda view: view.children(kind, parent))

    def count(self, kind: str, account: str, region: str) -> int:
        """How many rows of a kind there are."""
        return self._ask(lambda view: view.count(kind, account, region))

    def tags(self, arn: str) -> dict[str, str]:
        """A resource's tags, ordered by key."""
        return self._points.tags(arn)

    def tags_below(self, prefix: str) -> dict[str, dict[str, str]]:
        """The tags of all resources whose ARN begins with `prefix`, by ARN; those that have none are left out."""
        return self._ask(lambda view: view.tags_below(prefix))

    def close(self) -> None:
        """Close all connections."""
        self._points.close()
        self._engine.dispose()
