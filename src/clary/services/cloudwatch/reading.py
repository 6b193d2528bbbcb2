"""What GetMetricStatistics and GetMetricData have in common: periods and stretches of time."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from clary.services.cloudwatch.errors import invalid_value
from clary.telemetry.series import AGES, DAY, HOUR
from clary.wire.timestamps import in_utc

_SHORT_PERIODS = frozenset({1, 5, 10, 20, 30})
_ROUNDED = ((63 * DAY, HOUR), (15 * DAY, 300))


def is_period(period: int) -> bool:
    """Whether CloudWatch knows a period of so many seconds."""
    return period > 0 and (period in _SHORT_PERIODS or period % 60 == 0)


def check_period(period: int) -> None:
    """Raises InvalidParameterValue for a period that CloudWatch does not know."""
    if not is_period(period):
        raise invalid_value("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.")


def stretch(start: datetime, end: datetime, period: int, now: float) -> range:
    """From the start, rounded down as its age wants it, to the end. Raises InvalidParameterValue."""
    first, last = in_utc(start).timestamp(), in_utc(end).timestamp()
    if first >= last:
        raise invalid_value("The parameter StartTime must be less than the parameter EndTime.")
    step = next((step for age, step in _ROUNDED if first < now - age), min(period, 60))
    begin = max(math.floor(first) // step * step, int(now) - AGES[-1][1])
    return range(begin, max(begin, math.ceil(last)), period)


def moment(at: int) -> datetime:
    """A second as outputs hold it."""
    return datetime.fromtimestamp(at, UTC)
