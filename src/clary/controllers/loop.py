"""The loop: whoever is woken is reconciled, by a thread, until nothing is left to do.

Errors come in two families. `Again` is expected: look once more after some time. Everything else that a reconciler lets
out is an error of ours or of the machine: it is logged, and tried again ever more slowly. What is final is no error
here: it is a status.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Protocol

from clary.controllers.queue import WorkQueue
from clary.store.rows import Key, Stale

THREADS = 8
"""Most of a reconciler's time is waiting for a commit, and commits are shared."""

FIRST_BACKOFF = 0.1
LAST_BACKOFF = 60.0

_log = logging.getLogger(__name__)


class Again(Exception):
    """Not possible at the moment; try again after `seconds`."""

    def __init__(self, seconds: float, why: str = "") -> None:
        super().__init__(why)
        self.seconds = seconds


class Reconciler(Protocol):
    """Brings one resource nearer to what is wanted. Reads everything anew; may die at any line."""

    def reconcile(self, key: Key) -> float | None:
        """Do what can be done now. Seconds until the next look, or None: not before it is woken."""
        ...


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row."""
    return float(min(LAST_BACKOFF, FIRST_BACKOFF * 2 ** min(failures - 1, 30)))


class Loop:
    """Threads around one queue; one reconciler per kind."""

    def __init__(self, threads: int = THREADS) -> None:
        self._reconcilers: Mapping[str, Reconciler] = {}
        self._queue: WorkQueue[Key] = WorkQueue()
        self._failures: dict[Key, int] = {}
        self._threads = [
            threading.Thread(target=self._work, name=f"controller-{number}", daemon=True) for number in range(threads)
        ]

    def wake(self, key: Key) -> None:
        """Something about this resource has changed. Kinds without a reconciler need none."""
        self._queue.add(key)

    def start(self, reconcilers: Mapping[str, Reconciler]) -> None:
        """Begin; what was woken before is done now."""
        self._reconcilers = reconcilers
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Finish what is being done, and end."""
        self._queue.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _work(self) -> None:
        while (key := self._queue.get()) is not None:
            again = self._reconcile(key)
            if again is not None:
                self._queue.add_after(key, again)
            self._queue.done(key)

    def _reconcile(self, key: Key) -> float | None:
        reconciler = self._reconcilers.get(key.kind)
        if reconciler is None:
            return None
        try:
            again = reconciler.reconcile(key)
        except Stale:
            return 0.0
        except Again as later:
            return later.seconds
        except Exception:
            return self._failed(key)
        self._failures.pop(key, None)
        return again

    def _failed(self, key: Key) -> float:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        seconds = backoff(failures)
        _log.exception("%s %s: failure %d, again in %.1f s", key.kind, key.name, failures, seconds)
        return seconds
