"""Target tracking: the alarms that AWS makes for a policy, and the capacity that brings a metric to its target
(https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from clary.scaling.resource import Scaled

HIGH, LOW = "AlarmHigh", "AlarmLow"

PERIOD = 60
_ABOVE = 3
"""Periods above the target until more is wanted."""

_BELOW_SECONDS = 900
"""Below it until less is."""

LOW_SHARE = 0.9
"""Less is wanted where the metric stays below this share of the target."""

_COMPARISONS = {HIGH: "GreaterThanThreshold", LOW: "LessThanThreshold"}
_CLOSE = 1e-9
_MANY = 1e9
"""More instances than anybody has: what a metric says has no bounds."""


def tracked_out(base: int, points: Sequence[float], target: float) -> int:
    """As many instances as bring the newest value to the target, one more at least."""
    return max(base + 1, _proportional(base, points[-1], target)) if points else base + 1


def tracked_in(base: int, points: Sequence[float], target: float) -> int:
    """As few as would have carried the highest of the values, one less at least: removing is careful."""
    return min(base - 1, _proportional(base, max(points), target)) if points else base - 1


def _proportional(base: int, value: float, target: float) -> int:
    return math.ceil(max(-_MANY, min(base * value / target, _MANY)) - _CLOSE)


def threshold_of(which: str, target: float) -> float:
    """Of one of a policy's two alarms."""
    return target if which == HIGH else round(target * LOW_SHARE, 10)


def alarm_params(which: str, resource: Scaled, config: Mapping[str, Any]) -> dict[str, Any]:
    """What PutMetricAlarm is asked for one of a policy's alarms, but for names and actions."""
    metric = _metric(resource, config)
    periods = {HIGH: _ABOVE, LOW: _BELOW_SECONDS // metric.get("Period", PERIOD)}
    return {
        "ComparisonOperator": _COMPARISONS[which],
        "EvaluationPeriods": periods[which],
        "Threshold": threshold_of(which, config["TargetValue"]),
        **metric,
    }


def _metric(resource: Scaled, config: Mapping[str, Any]) -> dict[str, Any]:
    asked = config.get("CustomizedMetricSpecification")
    if asked is None:
        name, statistic, period = resource.predefined[config["PredefinedMetricSpecification"]["PredefinedMetricType"]]
        named = {"Namespace": "AWS/SageMaker", "MetricName": name, "Dimensions": resource.dimensions}
        return {**named, "Statistic": statistic, "Period": period}
    if asked.get("Metrics"):
        return {"Metrics": [_query(each) for each in asked["Metrics"]]}
    members = ("Namespace", "MetricName", "Dimensions", "Statistic", "Unit")
    return {**{name: asked[name] for name in members if asked.get(name)}, "Period": PERIOD}


def _query(asked: Mapping[str, Any]) -> dict[str, Any]:
    if "MetricStat" not in asked:
        return {"Period": PERIOD, **asked}
    return {**asked, "MetricStat": {"Period": PERIOD, **asked["MetricStat"]}}
