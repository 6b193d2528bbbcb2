"""A work queue that forgets nothing and repeats nothing: a key waits in it once, and is worked on by one thread."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class WorkQueue(Generic[K]):
    """Keys to be looked at, now or later. May be used from any thread.

    A key that is added while it is worked on is handed out again afterwards.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ready: deque[K] = deque()
        self._waiting: set[K] = set()
        """All keys in `_ready`."""
        self._working: set[K] = set()
        self._again: set[K] = set()
        self._due: dict[K, float] = {}
        self._timers: list[tuple[float, int, K]] = []
        self._tie = itertools.count()
        self._closed = False

    def add(self, key: K) -> None:
        """To be looked at as soon as a thread is free."""
        with self._changed:
            self._add(key)
            self._changed.notify()

    def add_after(self, key: K, seconds: float) -> None:
        """To be looked at then, unless it is sooner."""
        with self._changed:
            due = time.monotonic() + seconds
            if due < self._due.get(key, float("inf")):
                self._due[key] = due
                heapq.heappush(self._timers, (due, next(self._tie), key))
                self._changed.notify()

    def get(self) -> K | None:
        """The next key, when there is one; None once the queue is closed. To be followed by `done`."""
        with self._changed:
            while not self._closed:
                pause = self._fire_timers()
                if self._ready:
                    return self._hand_out()
                self._changed.wait(pause)
            return None

    def done(self, key: K) -> None:
        """The thread that got `key` is through with it."""
        with self._changed:
            self._working.discard(key)
            if key in self._again:
                self._again.discard(key)
                self._add(key)
                self._changed.notify()

    def close(self) -> None:
        """Wake all threads that wait; nothing is handed out any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _add(self, key: K) -> None:
        if key in self._working:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.append(key)

    def _hand_out(self) -> K:
        key = self._ready.popleft()
        self._waiting.discard(key)
        self._working.add(key)
        self._due.pop(key, None)
        if self._ready:
            self._changed.notify()
        return key

    def _fire_timers(self) -> float | None:
        """Move what is due; seconds until the next timer, or None."""
        now = time.monotonic()
        while self._timers:
            due, _, key = self._timers[0]
            if self._due.get(key) != due:  # replaced by an earlier one, or handed out since
                heapq.heappop(self._timers)
            elif due > now:
                return due - now
            else:
                heapq.heappop(self._timers)
                del self._due[key]
                self._add(key)
        return None
