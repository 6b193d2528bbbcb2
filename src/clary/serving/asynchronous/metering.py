"""What asynchronous endpoints do, as CloudWatch's metrics
(https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html). `Invocations`, `InvocationsPerInstance`
and `OverheadLatency` are not reported of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from clary.serving.asynchronous.requests import Owner
from clary.serving.metering import NAMESPACE, Place, add, metric, rounded

_DATA_AT_ONCE = 1000
_MICROSECONDS, _MILLISECONDS, _COUNT = "Microseconds", "Milliseconds", "Count"

_Key = tuple[Place, int, str, str]
"""What is metered, the minute, the metric and its unit."""


class Standing(NamedTuple):
    """How one endpoint's queue stands."""

    owner: Owner
    backlog: int
    """Requests that wait or are under way."""
    waiting: int
    instances: int
    age: float
    """Seconds that the oldest of those that wait has waited; 0 where none does."""


class AsyncMeter:
    """One edge's counts. Belongs to one event loop."""

    namespace = NAMESPACE

    def __init__(self, standing: Callable[[], Iterable[Standing]], clock: Callable[[], float] = time.time) -> None:
        """`standing` says how the queues stand now."""
        self._standing = standing
        self._clock = clock
        self._sums: dict[_Key, dict[Any, int]] = {}

    def count(self, place: Place, name: str) -> None:
        """One more of something: `InvocationFailures`."""
        self._add(place, name, _COUNT, 1.0)

    def answered(self, place: Place, status: int, seconds: float) -> None:
        """A model has answered, after so many seconds."""
        self._add(place, "Invocation4XXErrors", "None", float(400 <= status < 500))
        self._add(place, "Invocation5XXErrors", "None", float(status >= 500))
        self.took(place, "ModelLatency", seconds)

    def took(self, place: Place, name: str, seconds: float) -> None:
        """How long something has taken: `RequestDownloadLatency`."""
        self._add(place, name, _MICROSECONDS, rounded(int(seconds * 1e6)))

    def processed(self, place: Place, seconds: float) -> None:
        """One request is over, so many seconds after it was accepted."""
        self.count(place, "InvocationsProcessed")
        self._add(place, "TotalProcessingTime", _MILLISECONDS, rounded(int(seconds * 1e3)))

    def take(self) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
        """All that was counted since the last time, and how the queues stand: account, region, and MetricData."""
        for standing in self._standing():
            for name, unit, value in _gauges(standing):
                self._add(_place(standing.owner), name, unit, value)
        sums, self._sums = self._sums, {}
        owners: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for (place, minute, name, unit), counts in sums.items():
            owners.setdefault((place.account, place.region), []).extend(metric(place, minute, name, unit, counts))
        for (account, region), data in owners.items():
            for start in range(0, len(data), _DATA_AT_ONCE):
                yield account, region, data[start : start + _DATA_AT_ONCE]

    def _add(self, place: Place, name: str, unit: str, value: float) -> None:
        key = (place, int(self._clock()) // 60 * 60, name, unit)
        add(self._sums.setdefault(key, {}), value)


def _place(owner: Owner) -> Place:
    return Place(owner.account, owner.region, owner.endpoint, "")


def _gauges(standing: Standing) -> Iterator[tuple[str, str, float]]:
    """An endpoint without instances has no backlog for each of them."""
    yield "ApproximateBacklogSize", _COUNT, float(standing.backlog)
    if standing.instances:
        yield "ApproximateBacklogSizePerInstance", _COUNT, round(standing.backlog / standing.instances, 2)
    yield "ApproximateAgeOfOldestRequest", "Seconds", float(int(standing.age))
    yield "HasBacklogWithoutCapacity", _COUNT, float(standing.waiting > 0 and not standing.instances)
