"""What the edge has metered, on its way to CloudWatch in control."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Protocol

from clary.calls import Call, Door, account_root
from clary.errors import AWSError

EVERY_SECONDS = 5.0
"""How old a metric may be that a person looks at."""


class Meter(Protocol):
    """What counts."""

    namespace: str
    """Of its metrics."""

    def take(self) -> Iterable[tuple[str, str, list[dict[str, Any]]]]:
        """All that was counted since the last time: account, region, MetricData."""
        ...


_log = logging.getLogger(__name__)


async def report(meter: Meter, door: Door) -> None:
    """Report every few seconds, as long as the edge runs. Where control is away the numbers of that time are lost."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        for account, region, data in meter.take():
            params = {"Namespace": meter.namespace, "MetricData": data}
            try:
                await door(Call(account_root(account), "cloudwatch", "PutMetricData", params, region))
            except AWSError as error:
                _log.warning("metrics of %s were not reported: %s", meter.namespace, error)
