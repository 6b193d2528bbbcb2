"""What time does to keys and secrets: `decide`, pure."""

from __future__ import annotations

from dataclasses import dataclass

from clary.keys.rows import ENABLED, expiry
from clary.store.rows import Row

_LONGEST = 3600.0
"""Seconds: a machine that has slept meanwhile is not late for longer."""


@dataclass(frozen=True)
class Delete:
    """Its waiting period is over."""


@dataclass(frozen=True)
class Expire:
    """Its imported material has expired."""


@dataclass(frozen=True)
class Rotate:
    """It is to have new material."""


@dataclass(frozen=True)
class Wait:
    """Nothing for so many seconds; None: until it is woken."""

    seconds: float | None


Step = Delete | Expire | Rotate | Wait


def decide(row: Row, now: float) -> Step:
    """The next step."""
    due: list[tuple[float, Step]] = []
    if row.state.get("deletes"):
        due.append((row.state["deletes"], Delete()))
    until = expiry(row)
    if until is not None:
        due.append((until, Expire()))
    if row.state.get("rotates") and row.status == ENABLED:
        due.append((row.state["rotates"], Rotate()))
    if not due:
        return Wait(None)
    moment, step = min(due, key=lambda each: each[0])
    return step if moment <= now else Wait(min(moment - now, _LONGEST))
