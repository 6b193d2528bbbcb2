"""When keys and roles were last used, on its way to control."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from clary.errors import AWSError
from clary.identity.uses import Uses

EVERY_SECONDS = 60.0
"""How old what GetAccessKeyLastUsed says may be; AWS's may be four hours."""

Ask = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]

_log = logging.getLogger(__name__)


async def report(uses: Uses, ask: Ask) -> None:
    """Report every minute, as long as the edge runs. Where control is away what was seen in that time is lost."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        newest = uses.taken()
        if newest:
            try:
                await ask("credentials-used", {"uses": newest})
            except AWSError as error:
                _log.warning("the last uses of %d keys and roles were not reported: %s", len(newest), error)
