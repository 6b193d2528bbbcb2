"""Statistics by their names in CloudWatch
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html)."""

from __future__ import annotations

import re
from collections.abc import Callable

from clary.telemetry.summary import Summary

Statistic = Callable[[Summary], float | None]
"""None where it cannot be told of what is known."""

STATISTICS: dict[str, Statistic] = {
    "SampleCount": lambda summary: summary.count,
    "Average": lambda summary: summary.average,
    "Sum": lambda summary: summary.total,
    "Minimum": lambda summary: summary.least,
    "Maximum": lambda summary: summary.most,
}

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")


def percentile_of(name: str) -> float | None:
    """What of a hundred a percentile's name means: 99.9 of `p99.9`; None for any other name."""
    found = _PERCENTILE.fullmatch(name)
    return None if found is None else float(found[1])


def extended(name: str) -> Statistic | None:
    """A percentile (`p99`, `p99.9`) by its name; None for any other name."""
    percent = percentile_of(name)
    return None if percent is None else lambda summary: summary.percentile(percent)


def statistic(name: str) -> Statistic | None:
    """Any statistic by its name; None for one that there is not."""
    return STATISTICS.get(name) or extended(name)
