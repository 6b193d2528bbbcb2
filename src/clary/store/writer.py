"""The one thread that writes: whatever waits is carried out in one transaction and made durable by one fsync."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from clary.store.transaction import Transaction

T = TypeVar("T")

_GROUP = 256
"""Most functions in one commit: the first does not wait for an endless line."""


@dataclass(frozen=True)
class _Work:
    change: Callable[[Transaction], Any]
    future: Future[Any]


class Writer:
    """Takes changes from any thread. Each has a savepoint: one that raises undoes itself and none of its neighbours."""

    def __init__(self, engine: Engine, committed: Callable[[], None]) -> None:
        self._engine = engine
        self._committed = committed
        self._waiting: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, change: Callable[[Transaction], T]) -> T:
        """What `change` returns, once it is on the disk; or what it raises, with nothing changed.

        Raises RuntimeError on a closed store, and from within another change (which would wait for itself).
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("a change may not write another: use the transaction that it was given")
        future: Future[T] = Future()
        with self._closing:
            if self._closed:
                raise RuntimeError("the store is closed")
            self._waiting.put(_Work(change, future))
        return future.result()

    def close(self) -> None:
        """Carry out what waits, then end."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        with self._engine.connect() as connection:
            while (first := self._waiting.get()) is not None:
                self._commit_group(connection, first)

    def _commit_group(self, connection: Connection, first: _Work) -> None:
        group = self._group(first)
        done: list[tuple[_Work, Any]] = []
        try:
            with connection.begin():
                for work in group:
                    self._carry_out(connection, work, done)
        except BaseException as failure:  # belongs to those who wait, who raise it
            for work in group:
                if not work.future.done():
                    work.future.set_exception(failure)
        else:
            for work, result in done:
                work.future.set_result(result)
            self._committed()

    def _group(self, first: _Work) -> list[_Work]:
        group = [first]
        while len(group) < _GROUP and not self._waiting.empty():
            work = self._waiting.get()
            if work is None:
                self._waiting.put(None)
                break
            group.append(work)
        return group

    @staticmethod
    def _carry_out(connection: Connection, work: _Work, done: list[tuple[_Work, Any]]) -> None:
        try:
            with connection.begin_nested():
                result = work.change(Transaction(connection))
        except BaseException as failure:
            work.future.set_exception(failure)
        else:
            done.append((work, result))
