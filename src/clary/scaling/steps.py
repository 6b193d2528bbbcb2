"""Step scaling: how much a breach of an alarm's threshold adds or removes
(https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

CHANGE, PERCENT, EXACT = "ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"

Adjustment = Mapping[str, Any]

_AGGREGATIONS = {"Minimum": min, "Maximum": max}


def aggregated(points: Sequence[float], aggregation: str) -> float:
    """One value of an alarm's datapoints; `points` is not empty."""
    found = _AGGREGATIONS.get(aggregation)
    return found(points) if found else sum(points) / len(points)


def matching(adjustments: Sequence[Adjustment], breach: float) -> Adjustment | None:
    """The step whose interval holds `breach`, the value less the threshold.

    Above the threshold lower bounds belong to an interval and upper ones do not; below it is the other way round, and
    at the threshold itself both count.
    """
    for each in adjustments:
        lower, upper = each.get("MetricIntervalLowerBound"), each.get("MetricIntervalUpperBound")
        low = -math.inf if lower is None else lower
        high = math.inf if upper is None else upper
        if (breach >= 0 and low <= breach < high) or (breach <= 0 and low < breach <= high):
            return each
    return None


def adjusted(base: int, kind: str, amount: int, least: int) -> int:
    """`base` after a step of `amount`; a change in percent moves by `least` instances at least."""
    if kind == EXACT:
        return amount
    if kind == CHANGE:
        return base + amount
    change = _rounded(base * amount / 100)
    return base + int(math.copysign(max(abs(change), least), amount)) if amount else base


def _rounded(change: float) -> int:
    """Towards zero, but never to zero: 12.7 is 12, 0.67 is 1, -0.58 is -1, -6.67 is -6."""
    if 0 < abs(change) < 1:
        return int(math.copysign(1, change))
    return math.trunc(change)


def stepped(config: Mapping[str, Any], base: int, points: Sequence[float], threshold: float) -> int | None:
    """What a policy wants out of `base` instances; None where no step is for this breach.

    An alarm that was set by hand without datapoints is taken to have just reached its threshold.
    """
    value = aggregated(points, config.get("MetricAggregationType", "Average")) if points else threshold
    found = matching(config["StepAdjustments"], value - threshold)
    if found is None:
        return None
    least = config.get("MinAdjustmentMagnitude") or 0
    return adjusted(base, config["AdjustmentType"], found["ScalingAdjustment"], least)
