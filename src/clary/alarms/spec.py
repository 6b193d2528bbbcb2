"""What an alarm watches, from its row."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clary.metricmath import parse
from clary.metricmath.expression import Node
from clary.telemetry.series import Metric
from clary.telemetry.statistics import Statistic, percentile_of, statistic

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"

MISSING, IGNORE, BREACHING, NOT_BREACHING = "missing", "ignore", "breaching", "notBreaching"
TREATMENTS = (BREACHING, NOT_BREACHING, IGNORE, MISSING)
"""Of missing data."""


@dataclass(frozen=True)
class Comparison:
    """How a value breaches a threshold, and how that is said."""

    breaches: Callable[[float, float], bool]
    words: str


COMPARISONS: Mapping[str, Comparison] = {
    "GreaterThanOrEqualToThreshold": Comparison(operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": Comparison(operator.gt, "greater than"),
    "LessThanThreshold": Comparison(operator.lt, "less than"),
    "LessThanOrEqualToThreshold": Comparison(operator.le, "less than or equal to"),
}
"""By the API's names. Those of bands of anomaly detection are not among them."""


@dataclass(frozen=True)
class Source:
    """A metric with a statistic, by the Id that expressions have for it."""

    id: str
    metric: Metric
    statistic_name: str
    statistic: Statistic
    unit: str | None
    period: int
    """Seconds."""
    label: str = ""


@dataclass(frozen=True)
class AlarmSpec:
    """Of a metric alarm."""

    sources: tuple[Source, ...]
    watched: str
    """The Id of the source, or of the expression, whose values are compared."""
    periods: int
    """That are evaluated: N."""
    least: int | None
    """Datapoints that make the alarm, where it was said: M."""
    threshold: float
    comparison: Comparison
    treatment: str
    """Of missing data."""
    samples: float = 0.0
    """A datapoint of fewer samples says nothing; 0: each says something."""
    expressions: Mapping[str, Node] = field(default_factory=dict)
    """By Id."""

    @property
    def period(self) -> int:
        """Seconds: all metrics of an alarm have one period."""
        return self.sources[0].period

    @property
    def source(self) -> Source | None:
        """Where no expression but a metric is watched."""
        return next((source for source in self.sources if source.id == self.watched), None)

    @property
    def to_alarm(self) -> int:
        """Datapoints that must breach."""
        return self.least or self.periods

    @property
    def reach(self) -> int:
        """Periods that are looked at. AWS retrieves more than it evaluates, and says neither how many nor what it
        depends on; in its examples three are evaluated and five retrieved."""
        return self.periods + 2

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> AlarmSpec:
        """From a row's spec, which PutMetricAlarm has checked."""
        queries = spec.get("Metrics") or ()
        sources = [_queried(query) for query in queries if "MetricStat" in query] or [_plain(spec)]
        returned = [query["Id"] for query in queries if query.get("ReturnData", True)]
        return cls(
            sources=tuple(sources),
            watched=returned[0] if returned else sources[0].id,
            periods=spec["EvaluationPeriods"],
            least=spec.get("DatapointsToAlarm"),
            threshold=spec["Threshold"],
            comparison=COMPARISONS[spec["ComparisonOperator"]],
            treatment=spec.get("TreatMissingData") or MISSING,
            samples=_samples(spec),
            expressions={query["Id"]: parse(query["Expression"]) for query in queries if "Expression" in query},
        )


def _plain(spec: Mapping[str, Any]) -> Source:
    name = spec.get("Statistic") or spec["ExtendedStatistic"]
    return Source("m1", metric_of(spec), name, _statistic(name), spec.get("Unit"), spec["Period"])


def _queried(query: Mapping[str, Any]) -> Source:
    of = query["MetricStat"]
    metric = metric_of(of["Metric"])
    label = query.get("Label", metric.name)
    return Source(query["Id"], metric, of["Stat"], _statistic(of["Stat"]), of.get("Unit"), of["Period"], label)


def _statistic(name: str) -> Statistic:
    found = statistic(name)
    if found is None:
        raise ValueError(f"{name} is no statistic")
    return found


def metric_of(spec: Mapping[str, Any]) -> Metric:
    """The metric that a request or a row names, its dimensions ordered by name."""
    dimensions = tuple(sorted((each["Name"], each["Value"]) for each in spec.get("Dimensions") or ()))
    return Metric(spec["Namespace"], spec["MetricName"], dimensions)


def _samples(spec: Mapping[str, Any]) -> float:
    """With fewer a percentile is not significant
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html)."""
    if spec.get("EvaluateLowSampleCountPercentile") != "ignore":
        return 0.0
    percent = percentile_of(spec["ExtendedStatistic"]) or 0.0
    rest = min(percent, 100.0 - percent) / 100.0
    return 10.0 / rest if rest else 0.0
