"""Requests for which there is no replica at the moment wait for the one that takes its place.

A replica that ends is replaced, mostly within half a second. Whoever asks meanwhile need not know of it
(docs/decisions/0017).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from clary.serving.router import Answer, NoReplica, ReplicaDied, Router
from clary.serving.routes import VariantRoute

HELD = 512
"""Requests of one edge that wait so; the next is answered at once, that there is nobody."""

_FIRST_PAUSE, _LAST_PAUSE, _GROWTH = 0.02, 0.25, 1.5
"""Seconds until the next look: hundreds who wait must not keep the edge busy."""

Lost = NoReplica | ReplicaDied
"""How asking those that were there has ended."""

Find = Callable[[], VariantRoute | None]
"""What the routes say of the variant by now; None where it has gone."""

Ask = Callable[[VariantRoute], Awaitable[Answer]]
"""Asks a replica of it. Raises as `Router.ask`."""


async def once_there(router: Router, find: Find, ask: Ask[Answer], lost: Lost, seconds: float) -> Answer:
    """The answer of one that is there within so many seconds. Raises `lost` where none is, else as `ask`."""
    if router.held >= HELD:
        raise lost
    router.held += 1
    try:
        return await _asked_again(find, ask, lost, asyncio.get_running_loop().time() + seconds)
    finally:
        router.held -= 1


async def _asked_again(find: Find, ask: Ask[Answer], lost: Lost, due: float) -> Answer:
    now, pause = asyncio.get_running_loop().time, _FIRST_PAUSE
    while now() < due and find() is not None:
        await asyncio.sleep(pause)
        pause = min(pause * _GROWTH, _LAST_PAUSE)
        variant = find()
        if variant is None:
            break
        try:
            return await ask(variant)
        except NoReplica as error:
            lost = lost if isinstance(lost, ReplicaDied) else error
        except ReplicaDied as error:
            lost = error
    raise lost
