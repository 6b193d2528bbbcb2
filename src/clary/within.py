"""Time limits for what happens thousands of times a second: `with within(60): await answer()`.

`asyncio.timeout` sets and clears a timer of the event loop each time, which with uvloop costs more than all of a
prediction's policies. Here all limits of one length share a timer: it is set for the one that is due first, and then
for whichever is first by then.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self
from weakref import WeakKeyDictionary

_KEPT: dict[float, _Limits] = {}
"""By the loop that asked last, mostly the only one: a weak dictionary takes as long as all else here."""
_LIMITS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[float, _Limits]] = WeakKeyDictionary()


def within(seconds: float) -> Within:
    """A block of this task that may take so long; TimeoutError where it takes longer, as with `asyncio.timeout`."""
    loop = asyncio.get_running_loop()
    limits = _KEPT.get(seconds)
    if limits is None or limits.loop is not loop:
        limits = _KEPT[seconds] = _of(loop, seconds)
    return Within(limits)


def _of(loop: asyncio.AbstractEventLoop, seconds: float) -> _Limits:
    of_loop = _LIMITS.setdefault(loop, {})
    return of_loop.setdefault(seconds, _Limits(loop, seconds))


class Within:
    """One block that is timed."""

    __slots__ = ("_cancelling", "_limits", "_over", "_task", "due")

    def __init__(self, limits: _Limits) -> None:
        self._limits = limits
        self._over = False

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a time limit is for what a task does")
        self._task, self._cancelling = task, task.cancelling()
        self.due = self._limits.begin(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._limits.end(self)
        if self._over and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def expire(self) -> None:
        """Its time is up."""
        self._over = True
        self._task.cancel()


class _Limits:
    """All blocks of one event loop with the same limit: who begins first is due first."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self.loop = loop
        self._time, self._call_at = loop.time, loop.call_at
        self._seconds = seconds
        self._running: dict[Within, None] = {}
        self._timed = False

    def begin(self, block: Within) -> float:
        due = self._time() + self._seconds
        self._running[block] = None
        if not self._timed:
            self._timed = True
            self._call_at(due, self._look)
        return due

    def end(self, block: Within) -> None:
        self._running.pop(block, None)

    def _look(self) -> None:
        """Nobody waits longer than allowed: the timer is always that of the first, or of one before it."""
        now = self._time()
        for block in list(self._running):
            if block.due > now:
                self._call_at(block.due, self._look)
                return
            del self._running[block]
            block.expire()
        self._timed = False
