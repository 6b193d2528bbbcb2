"""What functions do, counted at the edge and reported as CloudWatch's metrics
(https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

_VALUES_AT_ONCE = 150
"""Different values of one datum of PutMetricData."""

_DATA_AT_ONCE = 1000


class Place(NamedTuple):
    """What is metered."""

    account: str
    region: str
    function: str


@dataclass
class _Sums:
    """Of one function in one minute."""

    errors: Counter[float] = field(default_factory=Counter)
    """1 for each invocation that failed, else 0."""
    throttles: int = 0
    durations: Counter[float] = field(default_factory=Counter)
    concurrency: Counter[float] = field(default_factory=Counter)


class FunctionMeter:
    """One edge's counts. Belongs to one event loop."""

    namespace = "AWS/Lambda"

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._sums: dict[tuple[Place, int], _Sums] = {}

    def count(self, place: Place, concurrency: int, failed: bool, seconds: float) -> None:
        """One invocation that was answered; `concurrency` is how many the function had with it."""
        sums = self._of(place)
        sums.errors[float(failed)] += 1
        sums.durations[_rounded(seconds * 1000)] += 1
        sums.concurrency[float(concurrency)] += 1

    def throttled(self, place: Place) -> None:
        """One that was refused."""
        self._of(place).throttles += 1

    def take(self) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
        """All that was counted since the last time: account, region, and MetricData for one call of PutMetricData."""
        sums, self._sums = self._sums, {}
        owners: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for (place, minute), counted in sums.items():
            owners.setdefault((place.account, place.region), []).extend(_data(place, minute, counted))
        for (account, region), data in owners.items():
            for start in range(0, len(data), _DATA_AT_ONCE):
                yield account, region, data[start : start + _DATA_AT_ONCE]

    def _of(self, place: Place) -> _Sums:
        return self._sums.setdefault((place, int(self._clock()) // 60 * 60), _Sums())


def _rounded(milliseconds: float) -> float:
    """To two significant digits, of hundredths at the finest."""
    hundredths = int(milliseconds * 100)
    unit: int = 10 ** max(0, len(str(hundredths)) - 2)
    return (hundredths + unit // 2) // unit * unit / 100


def _data(place: Place, minute: int, sums: _Sums) -> Iterator[dict[str, Any]]:
    calls = sums.errors.total()
    if calls:
        yield from _metric(place, minute, "Invocations", "Count", {1.0: calls})
        yield from _metric(place, minute, "Errors", "Count", sums.errors)
        yield from _metric(place, minute, "Duration", "Milliseconds", sums.durations)
        yield from _metric(place, minute, "ConcurrentExecutions", "Count", sums.concurrency)
    yield from _metric(place, minute, "Throttles", "Count", {0.0: calls, 1.0: sums.throttles})


def _metric(place: Place, minute: int, name: str, unit: str, counts: Mapping[float, int]) -> Iterator[dict[str, Any]]:
    known = [(value, float(often)) for value, often in counts.items() if often]
    for start in range(0, len(known), _VALUES_AT_ONCE):
        part = known[start : start + _VALUES_AT_ONCE]
        yield {
            "MetricName": name,
            "Dimensions": [{"Name": "FunctionName", "Value": place.function}],
            "Timestamp": datetime.fromtimestamp(minute, UTC),
            "Unit": unit,
            "Values": [value for value, _ in part],
            "Counts": [often for _, often in part],
        }
