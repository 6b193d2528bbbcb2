"""What is known of many values together: how many, their sum, the least, the most, and how they are distributed.

A distribution is kept exactly while it has few different values; then values are rounded to three significant digits,
and to two: percentiles are then right to half a percent, or to five.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MOST_VALUES = 150
"""Different values of a distribution that is kept exactly."""


@dataclass(frozen=True)
class Summary:
    """Of one metric within one stretch of time."""

    count: float
    total: float
    least: float
    most: float
    values: Mapping[float, float] | None
    """Value → how often; None where it is not known (statistic sets of several values)."""

    @classmethod
    def of(cls, values: Mapping[float, float]) -> Summary:
        """Of values and how often each came; at least one."""
        total = math.fsum(value * often for value, often in values.items())
        return cls(math.fsum(values.values()), total, min(values), max(values), dict(values))

    @classmethod
    def of_set(cls, count: float, total: float, least: float, most: float) -> Summary:
        """Of a statistic set: where all its values must be equal, their distribution is known as well."""
        known = least == most and math.isclose(total, least * count)
        return cls(count, total, least, most, {least: count} if known else None)

    @property
    def average(self) -> float:
        """Zero of no values."""
        return self.total / self.count if self.count else 0.0

    def percentile(self, percent: float) -> float | None:
        """The value below which `percent` (0-100) of all lie; None where the distribution is not known."""
        if self.values is None or not self.count:
            return None
        rank, seen = percent / 100 * self.count, 0.0
        for value in sorted(self.values):
            seen += self.values[value]
            if seen >= rank:
                return value
        return self.most


def merged(summaries: Iterable[Summary]) -> Summary:
    """All together; at least one."""
    parts = list(summaries)
    if len(parts) == 1:
        return parts[0]
    return Summary(
        count=math.fsum(part.count for part in parts),
        total=math.fsum(part.total for part in parts),
        least=min(part.least for part in parts),
        most=max(part.most for part in parts),
        values=_together(parts),
    )


def _together(parts: list[Summary]) -> dict[float, float] | None:
    values: dict[float, float] = {}
    for part in parts:
        if part.values is None:
            return None
        for value, often in part.values.items():
            values[value] = values.get(value, 0.0) + often
    for digits in (3, 2):
        if len(values) > MOST_VALUES:
            values = _rounded(values, digits)
    return values


def _rounded(values: Mapping[float, float], digits: int) -> dict[float, float]:
    rounded: dict[float, float] = {}
    for value, often in values.items():
        near = float(f"{value:.{digits - 1}e}")
        rounded[near] = rounded.get(near, 0.0) + often
    return rounded
