"""What names a metric, from a request and back."""

from __future__ import annotations

from collections.abc import Sequence

from clary.services.cloudwatch.errors import invalid_value
from clary.services.resources import Output, Params
from clary.telemetry.series import Dimensions, Metric

NO_UNIT = "None"
"""The unit of what came without one."""


def dimensions(given: Sequence[Params] | None, place: str) -> Dimensions:
    """Ordered by name; of two with one name, which CloudWatch refuses, none is taken."""
    pairs = tuple(sorted((each["Name"], each["Value"]) for each in given or ()))
    if len(dict(pairs)) != len(pairs):
        raise invalid_value(f"The parameter {place}.Dimensions has a name more than once.")
    return pairs


def shown(metric: Metric) -> Output:
    """As an output holds it."""
    return {
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
    }
