"""What the edge has metered, on its way to CloudWatch in control."""

from __future__ import annotations

import asyncio
import logging

from clary.calls import Call, Door, account_root
from clary.errors import AWSError
from clary.serving.metering import NAMESPACE, Meter

EVERY_SECONDS = 5.0
"""How old a metric may be that a person looks at."""

_log = logging.getLogger(__name__)


async def report(meter: Meter, door: Door) -> None:
    """Report every few seconds, as long as the edge runs. Where control is away the numbers of that time are lost."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        for account, region, data in meter.take():
            params = {"Namespace": NAMESPACE, "MetricData": data}
            try:
                await door(Call(account_root(account), "cloudwatch", "PutMetricData", params, region))
            except AWSError as error:
                _log.warning("metrics of endpoints were not reported: %s", error)
