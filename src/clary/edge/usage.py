"""How often API keys have asked, on its way to control."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from clary.apis.usage import Usage
from clary.errors import AWSError

EVERY_SECONDS = 2.0
"""How old what GetUsage says may be."""

Ask = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]

_log = logging.getLogger(__name__)


async def report(usage: Usage, ask: Ask) -> None:
    """Report every few seconds, as long as the edge runs. Where control is away the counts of that time are lost."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        counts = usage.take()
        if counts:
            try:
                await ask("api-usage", {"counts": counts})
            except AWSError as error:
                _log.warning("the usage of %d keys was not reported: %s", len(counts), error)
