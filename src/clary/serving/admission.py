"""How many requests may wait for one replica: as many as it answers in a few seconds, and some however slow it is
(docs/decisions/0044).

What an overloaded model is given beyond that is answered by nobody in time: it is refused at once, and costs those that
wait nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from clary.serving.chain import Passed

FREE: Final = 32
"""So many are never too many: scripts ask slow models by as many threads, and wait."""

UNKNOWN = 64
"""So many may come at once to a replica of which it is not known how fast it is."""

WAIT_SECONDS = 4.0
"""Who comes last waits so long at most for its turn: an endpoint has recovered as soon as an overload has ended."""

FEW: Final = 4
"""While fewer are there a request takes as long as its computation, or little longer."""

_LONGER = 4.0
"""Where a computation takes longer than WAIT_SECONDS, and many are computed at once: so many times as long. What is
answered now was asked that long ago, when perhaps fewer asked."""

_WINDOW = 2.0
"""Seconds over which it is counted what a replica answers, and twice as many at most."""

_SURE = 1.0
"""Seconds after which a count means something, however few there were."""

_WEIGHT = 0.1
"""Of the newest of a usual time's values."""


class Pace:
    """How fast one replica answers. Belongs to one event loop."""

    __slots__ = ("_before", "_half", "_half_before", "_since", "answered", "usual")

    def __init__(self) -> None:
        self.answered = 0
        """Requests of this process, ever."""
        self.usual = 0.0
        """Seconds that a request takes while FEW are there; 0 where there was none yet."""
        self._since = self._half = float("-inf")
        self._before = self._half_before = 0

    def note(self, passed: Sequence[Passed]) -> None:
        """One was answered that came while fewer than FEW were there."""
        seconds = passed[0].seconds if len(passed) == 1 else sum(each.seconds for each in passed)
        self.usual = self.usual + _WEIGHT * (seconds - self.usual) if self.usual else seconds

    def full(self, waiting: int, now: float, elsewhere: int = 0, answers: int = 0) -> bool:
        """Whether one more than those would wait too long; `now` in the loop's seconds. So many others wait that other
        processes have asked (`elsewhere`), which have had so many `answers` ever: whom a replica answers first is
        chance, so that one process's part of its answers says nothing of the queue."""
        together, answered = waiting + elsewhere, self.answered + answers
        if together < FREE:
            return False
        self._turn(now, answered)
        seconds, counted = now - self._since, answered - self._before
        if seconds < _SURE and counted < UNKNOWN:
            return together >= max(UNKNOWN, WAIT_SECONDS / self.usual if self.usual else 0.0)
        return together * seconds / (counted + 1) > max(WAIT_SECONDS, _LONGER * self.usual)

    def _turn(self, now: float, answered: int) -> None:
        """Counting begins anew after a time of which nobody asked, and where a process has gone with its answers; it
        forgets what is long ago."""
        if now - self._half > 2 * _WINDOW or answered < self._half_before:
            self._since, self._before = now, answered
        elif now - self._half > _WINDOW:
            self._since, self._before = self._half, self._half_before
        else:
            return
        self._half, self._half_before = now, answered
