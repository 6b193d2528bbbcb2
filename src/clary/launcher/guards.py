"""What the shim looks at while its container runs, each at its own pace: a look that finds fault ends the container."""

from __future__ import annotations

import time
from typing import Callable, List, NamedTuple, Optional


class Verdict(NamedTuple):
    """Why a container must end; the reason is empty where nobody is left to read it."""

    reason: str
    out_of_memory: bool = False
    for_the_disk: bool = False
    """What it has written must go with it."""


class Guard:
    """Looks every `seconds`, first when so many have passed."""

    def __init__(self, seconds: float, look: Callable[[], Optional[Verdict]]) -> None:
        self._seconds = seconds
        self._look = look
        self._next = time.monotonic() + seconds

    @property
    def due(self) -> float:
        """When it wants to look again (monotonic seconds)."""
        return self._next

    def verdict(self, now: float) -> Optional[Verdict]:
        """What it finds, where its time has come."""
        if now < self._next:
            return None
        found = self._look()
        self._next = time.monotonic() + self._seconds
        return found


def first_verdict(guards: List[Guard], now: float) -> Optional[Verdict]:
    """Of those whose time has come."""
    return next((found for found in (guard.verdict(now) for guard in guards) if found), None)
