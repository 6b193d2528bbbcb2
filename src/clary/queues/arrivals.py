"""Which queues have got messages: told by whoever writes them, and waited for without asking again and again."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

_KEPT = 4096
"""Queues that are remembered one by one; whoever has heard of nothing for so long is told of all."""


class Arrivals:
    """Counts from the time at which it was made, so that numbers of a process before this one are lower."""

    def __init__(self) -> None:
        self._first = self._newest = time.time_ns()
        self._queues: dict[str, int] = {}  # the newest number of each, in the order of these
        self._told = threading.Condition()

    @property
    def newest(self) -> int:
        """The number of the last arrival."""
        return self._newest

    def tell(self, queues: Iterable[str]) -> None:
        """Messages of these can be received now, or earlier than was known."""
        with self._told:
            for queue in queues:
                self._newest += 1
                self._queues.pop(queue, None)
                self._queues[queue] = self._newest
            while len(self._queues) > _KEPT:
                self._first = self._queues.pop(next(iter(self._queues)))
            self._told.notify_all()

    def since(self, number: int, seconds: float) -> tuple[int, list[str] | None]:
        """The newest number, and the queues that have got messages after `number`: at the latest after `seconds`, and
        then perhaps none. None where it is not known any more which. Keeps the calling thread."""
        with self._told:
            self._told.wait_for(lambda: self._newest > number, seconds)
            if number < self._first:
                return self._newest, None
            return self._newest, [queue for queue, at in self._queues.items() if at > number]
