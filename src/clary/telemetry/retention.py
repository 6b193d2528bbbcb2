"""How long events are kept."""

from __future__ import annotations

_DAY = 86_400_000


def horizon(days: int | None, now: float) -> int:
    """The time (milliseconds since 1970) before which events have expired; `now` in epoch seconds. 0: none has."""
    return 0 if days is None else max(0, int(now * 1000) - days * _DAY)
