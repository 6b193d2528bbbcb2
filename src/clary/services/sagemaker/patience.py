"""A Describe soon after a Create waits a moment for the end: clients sleep 5 to 30 seconds between two looks, so that
one look that comes too early costs them more than everything else."""

from __future__ import annotations

import threading
from collections.abc import Callable

from clary.services.context import Looking
from clary.services.resources import now
from clary.store.rows import Row

_YOUNG_SECONDS = 10.0
"""How long after its Create a resource is waited for: short work is then seen to end at once."""

PATIENCE_SECONDS = 1.0
"""How long one Describe waits at most."""

_PLACES = threading.BoundedSemaphore(4)
"""Each Describe that waits keeps a thread: beyond these, they answer at once."""


def settled(context: Looking, row: Row, ended: Callable[[Row], bool]) -> Row:
    """The row when it has `ended`, or as it is after a moment. A row that is no longer young is returned as it is."""
    age = (now() - row.created).total_seconds()
    if ended(row) or age > _YOUNG_SECONDS or not _PLACES.acquire(blocking=False):
        return row
    try:
        later = context.store.wait(row.key, lambda seen: seen is None or ended(seen), PATIENCE_SECONDS)
    finally:
        _PLACES.release()
    return later or row
