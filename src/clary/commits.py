"""The single writer of a database: one thread, one connection, many changes per commit."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

_GROUP = 256  # changes per commit: one fsync is shared by all of them

Change = Callable[[sqlite3.Connection], Any]


class Writer:
    """Runs changes one after another; `run` returns when the change is durable."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        """The connection is the writer's from now on; `name` is its thread's."""
        self._connection = connection
        self._queue: queue.SimpleQueue[tuple[Change, Future[Any]] | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def run(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Carry out `change` in the writer's thread; what it raises undoes it, and it alone, and is raised here.

        Where the disk is full nothing of it is kept. Raises RuntimeError once the writer is closed."""
        done: Future[T] = Future()
        with self._closing:
            if self._closed:
                raise RuntimeError("the database is closed")
            self._queue.put((change, done))
        return done.result()

    def close(self) -> None:
        """Finish what was asked for and let go of the database."""
        with self._closing:
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        self._connection.close()

    def _work(self) -> None:
        open_ = True
        while open_:
            group, open_ = self._next_group()
            if group:
                self._commit(group)

    def _next_group(self) -> tuple[list[tuple[Change, Future[Any]]], bool]:
        """The changes that wait, at least one; and whether more may come."""
        group: list[tuple[Change, Future[Any]]] = []
        item = self._queue.get()
        while item is not None:
            group.append(item)
            if len(group) == _GROUP:
                return group, True
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return group, True
        return group, False

    def _commit(self, group: list[tuple[Change, Future[Any]]]) -> None:
        outcomes: list[Callable[[], None]] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            outcomes.extend(self._apply(change, done) for change, done in group)
            self._connection.execute("COMMIT")
        except Exception as reason:  # the disk is full or gone: nobody's change was kept
            self._roll_back()
            for _, done in group:
                done.set_exception(reason)
            return
        for tell in outcomes:
            tell()

    def _apply(self, change: Change, done: Future[Any]) -> Callable[[], None]:
        """Carry out one change within the group; the caller is told only after the commit."""
        self._connection.execute("SAVEPOINT change")
        try:
            result = change(self._connection)
        except BaseException as reason:
            failure = reason
            if not self._connection.in_transaction:  # SQLite has rolled back by itself: the whole group
                raise
            self._connection.execute("ROLLBACK TO change")
            self._connection.execute("RELEASE change")
            return lambda: done.set_exception(failure)
        self._connection.execute("RELEASE change")
        return lambda: done.set_result(result)

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
