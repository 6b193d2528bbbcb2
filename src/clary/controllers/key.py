"""What time does to keys and secrets: `decide`, pure."""

from __future__ import annotations

from dataclasses import dataclass

from clary.keys.rotation import plan
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
class Begin:
    """A secret is to be rotated, as its rules say."""


@dataclass(frozen=True)
class Ask:
    """A secret's function is to be asked for the next step of a rotation."""


@dataclass(frozen=True)
class Wait:
    """Nothing for so many seconds; None: until it is woken."""

    seconds: float | None


Step = Delete | Expire | Rotate | Begin | Ask | Wait


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
    due += _of_rotation(row)
    if not due:
        return Wait(None)
    moment, step = min(due, key=lambda each: each[0])
    return step if moment <= now else Wait(min(moment - now, _LONGEST))


def _of_rotation(row: Row) -> list[tuple[float, Step]]:
    """Of a secret that is not about to go."""
    kept = plan(row)
    run, following = kept.get("run"), kept.get("next")
    if row.state.get("deletes"):
        return []
    if run:
        return [] if run["asked"] else [(run["due"], Ask())]
    return [(following, Begin())] if following and kept.get("enabled") else []
