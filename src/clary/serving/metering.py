"""What endpoints do, counted at the edge and reported as CloudWatch's metrics
(https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html).

The path of a prediction adds numbers up, in a microsecond or two; every few seconds the sums of each minute go to
control. Latencies are kept to two significant digits. What an edge has not reported yet is lost when it is killed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

from clary.serving.fleet import Turn

NAMESPACE = "AWS/SageMaker"

_VALUES_AT_ONCE = 150
"""Different values of one datum of PutMetricData."""

_DATA_AT_ONCE = 1000

_ERRORS = tuple(enumerate(("InvocationModelErrors", "Invocation4XXErrors", "Invocation5XXErrors")))
_ERRORS_OF_CONTAINERS = _ERRORS[1:]
"""https://docs.aws.amazon.com/sagemaker/latest/dg/multi-container-metrics.html"""


class Loading(NamedTuple):
    """What a model's loading took, in seconds; and how many models the container has now."""

    downloading: float
    loading: float
    unloading: tuple[float, ...]
    loaded: int


class Place(NamedTuple):
    """What is metered."""

    account: str
    region: str
    endpoint: str
    variant: str
    container: str = ""
    """One of those of each instance; empty for the whole."""
    config: str = ""
    """EndpointConfigName of the replicas that answered: what is new may be watched apart from what it replaces."""
    component: str = ""
    """The inference component that answered; empty where the variant has a model of its own."""

    @property
    def dimensions(self) -> list[list[dict[str, str]]]:
        """As CloudWatch has them: of the variant, whatever its configuration, and of the variant in its configuration,
        or of the inference component and of its variant
        (https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html)."""
        named = [("EndpointName", self.endpoint), ("VariantName", self.variant), ("ContainerName", self.container)]
        of_variant = [{"Name": name, "Value": value} for name, value in named if value]
        if self.component:
            return [[{"Name": "InferenceComponentName", "Value": self.component}], of_variant]
        if not self.config or self.container:
            return [of_variant]
        return [of_variant, [*of_variant, {"Name": "EndpointConfigName", "Value": self.config}]]


@dataclass
class _Sums:
    """Of one place in one minute: how often each value came."""

    errors: dict[tuple[bool, bool, bool], int] = field(default_factory=dict)
    """By whether the model failed, with 4xx, with 5xx."""
    container: dict[int, int] = field(default_factory=dict)
    model: dict[int, int] = field(default_factory=dict)
    overhead: dict[int, int] = field(default_factory=dict)
    shares: dict[float, int] = field(default_factory=dict)
    models: dict[str, dict[int, int]] = field(default_factory=dict)
    """Of many models, by metric
    (https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-endpoint-cloudwatch-metrics.html), and of streams."""
    serverless: dict[str, dict[float, int]] = field(default_factory=dict)
    """Of serverless variants, by metric
    (https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-monitoring.html)."""
    dropped: int = 0
    no_capacity: int = 0


_SERVERLESS_UNITS = {
    "ServerlessProvisionedConcurrencyExecutions": "Count",
    "ServerlessProvisionedConcurrencyInvocations": "Count",
}


@lru_cache(maxsize=2**14)
def rounded(microseconds: int) -> int:
    """To two significant digits."""
    unit = 1
    while microseconds >= 100 * unit:
        unit *= 10
    return (microseconds + unit // 2) // unit * unit


class Meter:
    """One edge's counts. Belongs to one event loop."""

    namespace = NAMESPACE

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._sums: dict[tuple[Place, int], _Sums] = {}

    def count(self, place: Place, instances: int | None, status: int, model_seconds: float, seconds: float) -> None:
        """One invocation that a model was asked for: `status` is its answer's, 0 where it gave none; `seconds` is the
        whole time, `model_seconds` that of the model. A serverless variant has no `instances`."""
        sums = self._sums_of(place)
        add(sums.errors, _outcome(status))
        if instances is not None:
            add(sums.shares, 1 / max(1, instances))
        if status:
            add(sums.model, rounded(int(model_seconds * 1e6)))
            add(sums.overhead, rounded(int((seconds - model_seconds) * 1e6)))

    def count_container(self, place: Place, status: int, seconds: float) -> None:
        """One invocation of one container, asked by its name; as `count`."""
        sums = self._sums_of(place)
        add(sums.errors, _outcome(status))
        if status:
            add(sums.container, rounded(int(seconds * 1e6)))

    def time_container(self, place: Place, seconds: float) -> None:
        """How long one of several containers, one after the other, took for its answer."""
        add(self._sums_of(place).container, rounded(int(seconds * 1e6)))

    def count_model(self, place: Place, waited: float) -> None:
        """One request to one of many models: how many seconds it waited for its loading, 0 where it was there."""
        models = self._sums_of(place).models
        add(models.setdefault("ModelCacheHit", {}), int(not waited))
        if waited:
            add(models.setdefault("ModelLoadingWaitTime", {}), rounded(int(waited * 1e6)))

    def count_loading(self, place: Place, loading: Loading) -> None:
        """One model that was loaded, and those that made room for it."""
        models = self._sums_of(place).models
        add(models.setdefault("ModelDownloadingTime", {}), rounded(int(loading.downloading * 1e6)))
        add(models.setdefault("ModelLoadingTime", {}), rounded(int(loading.loading * 1e6)))
        for seconds in loading.unloading:
            add(models.setdefault("ModelUnloadingTime", {}), rounded(int(seconds * 1e6)))
        add(models.setdefault("LoadedModelCount", {}), loading.loaded)

    def count_turn(self, place: Place, turn: Turn) -> None:
        """One request to a serverless variant."""
        sums = self._sums_of(place)
        for name, value in turn.metrics():
            add(sums.serverless.setdefault(name, {}), value)
        if turn.waited:
            add(sums.models.setdefault("ModelSetupTime", {}), rounded(int(turn.waited * 1e6)))

    def count_stream(self, place: Place, model_seconds: float, seconds: float, *, broken: bool) -> None:
        """One answer that came part by part: when the first was there, of the model's time and of all; and whether
        it was `broken` off after that."""
        by_name = self._sums_of(place).models
        latencies = (("", seconds), ("Model", model_seconds), ("Overhead", seconds - model_seconds))
        for part, latency in latencies:
            add(by_name.setdefault(f"FirstChunk{part}Latency", {}), rounded(int(latency * 1e6)))
        add(by_name.setdefault("MidStreamErrors", {}), int(broken))

    def count_dropped(self, place: Place) -> None:
        """One request that was to be mirrored to this shadow variant, and was not: too many were under way."""
        self._sums_of(place).dropped += 1

    def count_no_capacity(self, place: Place) -> None:
        """One request to an inference component that has no copies."""
        self._sums_of(place).no_capacity += 1

    def _sums_of(self, place: Place) -> _Sums:
        key = (place, int(self._clock()) // 60 * 60)
        sums = self._sums.get(key)
        if sums is None:
            sums = self._sums[key] = _Sums()
        return sums

    def take(self) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
        """All that was counted since the last time: account, region, and MetricData for one call of PutMetricData."""
        sums, self._sums = self._sums, {}
        owners: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for (place, minute), counted in sums.items():
            owners.setdefault((place.account, place.region), []).extend(_data(place, minute, counted))
        yield from in_calls(owners)


def in_calls(
    owners: Mapping[tuple[str, str], list[dict[str, Any]]],
) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """What belongs to each account and region, as MetricData of calls of PutMetricData."""
    for (account, region), data in owners.items():
        for start in range(0, len(data), _DATA_AT_ONCE):
            yield account, region, data[start : start + _DATA_AT_ONCE]


def _outcome(status: int) -> tuple[bool, bool, bool]:
    return not 200 <= status < 300, 400 <= status < 500, status >= 500 or status == 0


def add(counts: dict[Any, int], value: Any) -> None:  # noqa: ANN401  any key
    counts[value] = counts.get(value, 0) + 1


def _data(place: Place, minute: int, sums: _Sums) -> Iterator[dict[str, Any]]:
    calls = sum(sums.errors.values())
    yield from metric(place, minute, "Invocations", "None", {1.0: calls})
    for index, name in _ERRORS if not place.container else _ERRORS_OF_CONTAINERS:
        failed = sum(often for outcome, often in sums.errors.items() if outcome[index])
        yield from metric(place, minute, name, "None", {0.0: calls - failed, 1.0: failed})
    per = "InvocationsPerCopy" if place.component else "InvocationsPerInstance"
    yield from metric(place, minute, per, "None", sums.shares)
    yield from metric(place, minute, "NoCapacityInvocationFailures", "None", {1.0: sums.no_capacity})
    yield from metric(place, minute, "MirroredInvocationsDropped", "None", {1.0: sums.dropped})
    yield from metric(place, minute, "ContainerLatency", "Microseconds", sums.container)
    yield from metric(place, minute, "ModelLatency", "Microseconds", sums.model)
    yield from metric(place, minute, "OverheadLatency", "Microseconds", sums.overhead)
    for name, uses in sums.serverless.items():
        yield from metric(place, minute, name, _SERVERLESS_UNITS.get(name, "None"), uses)
    for name, counts in sums.models.items():
        yield from metric(place, minute, name, _unit(name), counts)


def _unit(name: str) -> str:
    return "Microseconds" if name.endswith(("Time", "Latency")) else "None"


def metric(
    place: Place, minute: int, name: str, unit: str, counts: Mapping[float, int] | Mapping[int, int]
) -> Iterator[dict[str, Any]]:
    known = [(float(value), float(often)) for value, often in counts.items() if often]
    for dimensions, start in product(place.dimensions, range(0, len(known), _VALUES_AT_ONCE)):
        part = known[start : start + _VALUES_AT_ONCE]
        yield {
            "MetricName": name,
            "Dimensions": dimensions,
            "Timestamp": datetime.fromtimestamp(minute, UTC),
            "Unit": unit,
            "Values": [value for value, _ in part],
            "Counts": [often for _, often in part],
        }
