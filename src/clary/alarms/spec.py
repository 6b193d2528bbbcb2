"""What an alarm watches, from its row."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

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
class AlarmSpec:
    """Of a metric alarm."""

    metric: Metric
    statistic_name: str
    statistic: Statistic
    unit: str | None
    period: int
    """Seconds."""
    periods: int
    """That are evaluated: N."""
    least: int | None
    """Datapoints that make the alarm, where it was said: M."""
    threshold: float
    comparison: Comparison
    treatment: str
    """Of missing data."""
    samples: float
    """A datapoint of fewer samples says nothing; 0: each says something."""

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
        name = spec.get("Statistic") or spec["ExtendedStatistic"]
        found = statistic(name)
        if found is None:
            raise ValueError(f"{name} is no statistic")
        return cls(
            metric=metric_of(spec),
            statistic_name=name,
            statistic=found,
            unit=spec.get("Unit"),
            period=spec["Period"],
            periods=spec["EvaluationPeriods"],
            least=spec.get("DatapointsToAlarm"),
            threshold=spec["Threshold"],
            comparison=COMPARISONS[spec["ComparisonOperator"]],
            treatment=spec.get("TreatMissingData") or MISSING,
            samples=_samples(name) if spec.get("EvaluateLowSampleCountPercentile") == "ignore" else 0.0,
        )


def metric_of(spec: Mapping[str, Any]) -> Metric:
    """The metric that a request or a row names, its dimensions ordered by name."""
    dimensions = tuple(sorted((each["Name"], each["Value"]) for each in spec.get("Dimensions") or ()))
    return Metric(spec["Namespace"], spec["MetricName"], dimensions)


def _samples(name: str) -> float:
    """With fewer a percentile is not significant
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html)."""
    percent = percentile_of(name) or 0.0
    rest = min(percent, 100.0 - percent) / 100.0
    return 10.0 / rest if rest else 0.0
