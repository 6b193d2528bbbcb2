"""When an alarm is looked at: pure."""

from __future__ import annotations

import zlib

from clary.alarms.evaluation import step

_SETTLE = 0.1
"""Of the time between two looks: what came into the period that has just ended is there by then."""

_SPREAD = 0.1
"""Of it as well: a thousand alarms are not looked at in one moment …"""

_MOMENTS = 10
"""… but in so many: those that are looked at together cost half of those that are looked at one by one."""


def next_look(name: str, period: int, now: float) -> float:
    """The epoch second of the next look at an alarm, soon after the end of a step and always equally soon."""
    seconds = step(period)
    offset = seconds * (_SETTLE + _SPREAD * (zlib.crc32(name.encode()) % _MOMENTS) / _MOMENTS)
    return (now - offset) // seconds * seconds + seconds + offset
