"""Long work beside the loop: building, downloading, packing. All of it may be run again, as it is after a crash."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from clary.store.rows import Key
from clary.workload.errors import Cancelled, WorkloadError
from clary.workload.failure import INTERNAL

TRIES = 3
"""After so many unexpected errors the work counts as failed: the disk is full, or the error is ours."""

_PAUSE = 0.5
_THREADS = 8
_BUILDERS = 32
"""They mostly wait for one another: an environment is built once."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pending:
    """Under way."""


@dataclass(frozen=True)
class Done:
    """It has ended well, with this value."""

    value: Any = None


@dataclass(frozen=True)
class Failed:
    """It cannot be done; `reason` is a FailureReason."""

    reason: str


Outcome = Pending | Done | Failed
Work = Callable[[Callable[[], bool]], Any]
"""What to do; its argument tells whether it is not wanted any more."""


class Activities:
    """Outcomes by resource and name. May be used from any thread."""

    def __init__(self, wake: Callable[[Key], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._outcomes: dict[tuple[Key, str], Outcome] = {}
        self._ended: dict[tuple[Key, str], threading.Event] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="activity")
        self._builders = ThreadPoolExecutor(_BUILDERS, thread_name_prefix="build")

    def outcome(self, key: Key, name: str) -> Outcome | None:
        """None where it was never begun (by this process)."""
        with self._lock:
            return self._outcomes.get((key, name))

    def begin(self, key: Key, name: str, work: Work, *, builds: bool = False) -> None:
        """Have it done, unless it was begun before; the resource is woken when it is. `builds`: it waits for others."""
        with self._lock:
            if (key, name) in self._outcomes:
                return
            self._outcomes[key, name] = Pending()
            ended = self._ended[key, name] = threading.Event()
        threads = self._builders if builds else self._threads
        threads.submit(self._run, (key, name), work, ended)

    def fail(self, key: Key, name: str, reason: str) -> None:
        """What was done has proved useless: it counts as failed."""
        with self._lock:
            self._outcomes[key, name] = Failed(reason)
            self._ended.setdefault((key, name), threading.Event())
        self._wake(key)

    def forget(self, key: Key, name: str | None = None) -> None:
        """Drop outcomes of a resource, and tell what still runs that it is not wanted any more."""
        with self._lock:
            for known in [known for known in self._outcomes if known[0] == key and name in (None, known[1])]:
                del self._outcomes[known]
                self._ended.pop(known).set()

    def cancel(self, key: Key, name: str) -> None:
        """Tell it that it is not wanted any more; its outcome stays."""
        with self._lock:
            ended = self._ended.get((key, name))
        if ended:
            ended.set()

    def end_all(self) -> None:
        """Tell all that run that they are not wanted any more."""
        with self._lock:
            for ended in self._ended.values():
                ended.set()

    def close(self) -> None:
        """End what runs, as far as it listens."""
        self.end_all()
        for threads in (self._threads, self._builders):
            threads.shutdown(wait=False, cancel_futures=True)

    def _run(self, known: tuple[Key, str], work: Work, ended: threading.Event) -> None:
        outcome = _outcome(known, work, ended)
        with self._lock:
            if self._ended.get(known) is not ended:  # forgotten meanwhile
                return
            self._outcomes[known] = outcome
        self._wake(known[0])


def _outcome(known: tuple[Key, str], work: Work, ended: threading.Event) -> Outcome:
    for number in range(1, TRIES + 1):
        try:
            return Done(work(ended.is_set))
        except WorkloadError as error:
            return Failed(error.reason)
        except Cancelled:
            return Failed("cancelled")
        except Exception:
            if ended.is_set():  # what it worked on was taken away
                break
            _log.exception("%s of %s %s: try %d of %d", known[1], known[0].kind, known[0].name, number, TRIES)
        if ended.wait(_PAUSE * number):
            break
    return Failed(INTERNAL)
