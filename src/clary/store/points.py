"""Reading one row: by its key, by its ARN, and the tags of one resource, without SQLAlchemy, which takes five times as
long about it as the database. For any process beside the writer, and for any thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from clary.store.connections import BUSY_SECONDS, connect
from clary.store.records import COLUMNS, row_in_order
from clary.store.rows import Key, Row

_ROW = f"SELECT {', '.join(COLUMNS)} FROM resource WHERE"  # noqa: S608  names of our own
_GET = f"{_ROW} kind = ? AND account = ? AND region = ? AND name = ?"
_BY_ARN = f"{_ROW} arn = ? LIMIT 1"
_TAGS = "SELECT key, value FROM tag WHERE arn = ? ORDER BY key"
_NUMBER = "SELECT max(number) FROM migration"

MIGRATIONS = 3
"""Of `store.schema`: rows are read here that have had them all."""


class Points(Protocol):
    """Whatever gives single rows: readers of the database, and what one connection sees."""

    def get(self, key: Key) -> Row | None:
        """The row, or None."""
        ...

    def by_arn(self, arn: str) -> Row | None:
        """The row that bears `arn`, or None."""
        ...

    def tags(self, arn: str) -> dict[str, str]:
        """A resource's tags, ordered by key."""
        ...


class PointReader:
    """Each question sees all that was committed before it. Raises sqlite3.Error, also while there is no database."""

    def __init__(self, database: Path, busy_seconds: float = BUSY_SECONDS) -> None:
        """`busy_seconds`: how long a question waits while the database is locked."""
        self._database = database
        self._busy_seconds = busy_seconds
        self._idle: list[sqlite3.Connection] = []

    def get(self, key: Key) -> Row | None:
        """The row, or None."""
        found = self._ask(_GET, (key.kind, key.account, key.region, key.name))
        return row_in_order(found[0]) if found else None

    def by_arn(self, arn: str) -> Row | None:
        """The row that bears `arn`, or None."""
        found = self._ask(_BY_ARN, (arn,))
        return row_in_order(found[0]) if found else None

    def tags(self, arn: str) -> dict[str, str]:
        """A resource's tags, ordered by key."""
        return dict(self._ask(_TAGS, (arn,)))

    def close(self) -> None:
        """Close all connections that nobody uses."""
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    def _ask(self, statement: str, values: Sequence[str]) -> list[Any]:
        """All of it, so that nothing stays open. A connection on which something went wrong is not used again."""
        connection = self._connection()
        try:
            found = connection.execute(statement, values).fetchall()
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return found

    def _connection(self) -> sqlite3.Connection:
        """One that nobody uses: taking it from the list is one step, whatever other threads do."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._opened()

    def _opened(self) -> sqlite3.Connection:
        connection = connect(self._database, "ro", self._busy_seconds)
        (number,) = connection.execute(_NUMBER).fetchone()
        if number != MIGRATIONS:
            connection.close()
            raise sqlite3.OperationalError(f"rows of migration {number}, not of {MIGRATIONS}")
        return connection
