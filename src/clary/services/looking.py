"""Operations that only look up single rows, carried out at the edge: what the database says at once needs no way to
control (docs/decisions/0075)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from clary.calls import Call
from clary.services.registry import Operation
from clary.store.points import PointReader, Points
from clary.store.rows import Key, Row

_AT_ONCE = 0.0
"""Seconds that the edge waits for a locked database: others are waiting for the edge."""


class AskControl(Exception):
    """Whoever asks has to wait, which is control's to do."""


def looked_up(database: Path, operation: Operation, call: Call) -> dict[str, Any] | None:
    """By the process's own `Lookup` of this database."""
    return _of(database)(operation, call)


class Lookup:
    """For one process. Any thread may ask."""

    def __init__(self, database: Path) -> None:
        self._rows = _RowsAtOnce(PointReader(database, _AT_ONCE))

    def __call__(self, operation: Operation, call: Call) -> dict[str, Any] | None:
        """The output; None where control has to be asked. Raises AWSError."""
        try:
            output: dict[str, Any] = operation.handler(_Sight(call, self._rows), call.params)
        except (AskControl, sqlite3.Error):  # the latter knows what to do about its database
            return None
        return output


@cache
def _of(database: Path) -> Lookup:
    return Lookup(database)


class _RowsAtOnce:
    """A `context.Rows` that waits for nothing."""

    def __init__(self, read: Points) -> None:
        self.read = read

    def wait(self, key: Key, until: Callable[[Row | None], bool], seconds: float) -> Row | None:
        """Raises AskControl."""
        raise AskControl


class _Sight:
    """A `context.Looking`."""

    def __init__(self, call: Call, store: _RowsAtOnce) -> None:
        self.call = call
        self.store = store
        self.account = call.principal.account
        self.region = call.region
