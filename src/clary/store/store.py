"""The store: one database, read from every thread, written by one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from clary.store.engines import writing_engine
from clary.store.filesystem import refuse_network
from clary.store.rows import Key, Row
from clary.store.schema import migrate
from clary.store.transaction import Transaction
from clary.store.view import Reader
from clary.store.writer import Writer

T = TypeVar("T")


class Store:
    """For the process that writes; there is one. Others open a `Reader` on the same database.

    Raises ClaryError where the database lies on a network file system or was written by a newer Clary.
    """

    def __init__(self, database: Path) -> None:
        database.parent.mkdir(parents=True, exist_ok=True)
        refuse_network(database)
        self._engine = writing_engine(database)
        with self._engine.begin() as connection:
            migrate(connection)
        database.chmod(0o600)  # specs hold environment variables, which hold secrets
        self._commits = threading.Condition()
        self._writer = Writer(self._engine, self._committed)
        self.read = Reader(database)

    def write(self, change: Callable[[Transaction], T]) -> T:
        """Run `change` in the writing thread and return its result once it is durable.

        What `change` raises is raised here, and nothing of it has happened. It runs once, holds up all other writes
        while it runs, and must do no I/O of its own.
        """
        return self._writer.write(change)

    def wait(self, key: Key, until: Callable[[Row | None], bool], seconds: float) -> Row | None:
        """The row as soon as `until` holds of it, and at the latest after `seconds`; the row is None where it is gone.

        Keeps the calling thread.
        """
        deadline = time.monotonic() + seconds
        with self._commits:
            while not until(row := self.read.get(key)):
                if not self._commits.wait(deadline - time.monotonic()):
                    return row
        return row

    def _committed(self) -> None:
        with self._commits:
            self._commits.notify_all()

    def close(self) -> None:
        """Carry out the writes that wait, then close all connections."""
        self._writer.close()
        self.read.close()
        self._engine.dispose()
