"""Requests that are mirrored to shadow variants, beside the answers of production (docs/decisions/0041).

What is under way is bounded: of one shadow variant, so that one that hangs takes nothing from another's, and in bytes,
so that bodies do not pile up behind one that is slow. Beyond it requests are not mirrored: production never waits.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Hashable
from functools import partial
from typing import Any

from clary.serving.routes import VariantRoute

IN_FLIGHT = 128
"""Of one shadow variant at one edge: as many as a connection to Clary's own model servers takes."""

BODY_BYTES = 64 * 2**20
"""Of all bodies that are under way at one edge."""

_log = logging.getLogger(__name__)


class Mirror:
    """One edge's mirrored requests. Belongs to one event loop."""

    def __init__(self, draw: Callable[[], float] = random.random) -> None:
        """`draw` gives numbers from 0 to 1, which decide what is mirrored."""
        self._draw = draw
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: Counter[Hashable] = Counter()
        self._bytes = 0

    @property
    def under_way(self) -> int:
        """Requests that have no answer yet."""
        return len(self._tasks)

    def draws(self, shadow: VariantRoute) -> bool:
        """Whether one more request is to be mirrored."""
        return self._draw() < shadow.weight

    def send(self, shadow: Hashable, size: int, work: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Do `work`, once whoever calls waits for something: a request with a body of `size` bytes to the variant that
        is called `shadow`. False where it is not done, because too much is under way."""
        if self._under_way[shadow] >= IN_FLIGHT or self._bytes + size > BODY_BYTES:
            return False
        self._under_way[shadow] += 1
        self._bytes += size
        task = asyncio.get_running_loop().create_task(work())
        self._tasks.add(task)
        task.add_done_callback(partial(self._done, shadow, size))
        return True

    def _done(self, shadow: Hashable, size: int, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._bytes -= size
        self._under_way[shadow] -= 1
        if not self._under_way[shadow]:
            del self._under_way[shadow]
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a mirrored request failed", exc_info=error)
