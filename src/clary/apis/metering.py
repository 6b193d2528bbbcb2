"""What APIs do, counted at the edge and reported as CloudWatch's metrics
(https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html,
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html)."""

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
    api: tuple[str, str]
    """The dimension by which an API is known, and its value: a REST API's `ApiName`, an HTTP API's `ApiId`."""
    stage: str

    @property
    def dimensions(self) -> tuple[list[dict[str, str]], ...]:
        """The API's, and those of its stage."""
        api = {"Name": self.api[0], "Value": self.api[1]}
        return [api], [api, {"Name": "Stage", "Value": self.stage}]

    @property
    def errors(self) -> tuple[str, str]:
        """The names that REST APIs and HTTP APIs have for errors of clients and of servers."""
        return ("4XXError", "5XXError") if self.api[0] == "ApiName" else ("4xx", "5xx")


@dataclass
class _Sums:
    """Of one stage in one minute."""

    statuses: Counter[int] = field(default_factory=Counter)
    """Requests by the hundreds of their answers' status."""
    latencies: Counter[float] = field(default_factory=Counter)
    integrations: Counter[float] = field(default_factory=Counter)


class ApiMeter:
    """One edge's counts. Belongs to one event loop."""

    namespace = "AWS/ApiGateway"

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._sums: dict[tuple[Place, int], _Sums] = {}

    def count(self, place: Place, status: int, seconds: float, integration_seconds: float | None) -> None:
        """One request that was answered; `integration_seconds` is None where no integration was asked."""
        sums = self._sums.setdefault((place, int(self._clock()) // 60 * 60), _Sums())
        sums.statuses[status // 100] += 1
        sums.latencies[_rounded(seconds * 1000)] += 1
        if integration_seconds is not None:
            sums.integrations[_rounded(integration_seconds * 1000)] += 1

    def take(self) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
        """All that was counted since the last time: account, region, and MetricData for one call of PutMetricData."""
        sums, self._sums = self._sums, {}
        owners: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for (place, minute), counted in sums.items():
            owners.setdefault((place.account, place.region), []).extend(_data(place, minute, counted))
        for (account, region), data in owners.items():
            for start in range(0, len(data), _DATA_AT_ONCE):
                yield account, region, data[start : start + _DATA_AT_ONCE]


def _rounded(milliseconds: float) -> float:
    """To two significant digits, of hundredths at the finest."""
    hundredths = int(milliseconds * 100)
    unit: int = 10 ** max(0, len(str(hundredths)) - 2)
    return (hundredths + unit // 2) // unit * unit / 100


def _data(place: Place, minute: int, sums: _Sums) -> Iterator[dict[str, Any]]:
    calls = sums.statuses.total()
    yield from _metric(place, minute, "Count", "Count", {1.0: calls})
    for name, hundreds in zip(place.errors, (4, 5), strict=True):
        failed = sums.statuses[hundreds]
        yield from _metric(place, minute, name, "Count", {0.0: calls - failed, 1.0: failed})
    yield from _metric(place, minute, "Latency", "Milliseconds", sums.latencies)
    yield from _metric(place, minute, "IntegrationLatency", "Milliseconds", sums.integrations)


def _metric(place: Place, minute: int, name: str, unit: str, counts: Mapping[float, int]) -> Iterator[dict[str, Any]]:
    known = [(value, float(often)) for value, often in counts.items() if often]
    for dimensions in place.dimensions:
        for start in range(0, len(known), _VALUES_AT_ONCE):
            part = known[start : start + _VALUES_AT_ONCE]
            yield {
                "MetricName": name,
                "Dimensions": dimensions,
                "Timestamp": datetime.fromtimestamp(minute, UTC),
                "Unit": unit,
                "Values": [value for value, _ in part],
                "Counts": [often for _, often in part],
            }
