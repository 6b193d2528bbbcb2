"""What is known of a trial component's metrics: a summary of each, whatever the number of values.

The mean and the sum of squares go on by Welford's recurrence, so that a new value needs none of those before it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TypedDict

from clary.services.resources import Output
from clary.store.rows import Row

STATE = "put_metrics"
"""In a trial component's state: the summaries by name."""


class Summary(TypedDict):
    """Of all values of one metric."""

    count: int
    mean: float
    squares: float
    """The sum of the squared distances from the mean."""
    least: float
    most: float
    last: float
    time: float
    """Of the last: seconds since 1970."""


def joined(before: Summary | None, value: float, time: float) -> Summary:
    """With one more value, which is the last unless one of a later time is there."""
    if before is None:
        return Summary(count=1, mean=value, squares=0.0, least=value, most=value, last=value, time=time)
    count = before["count"] + 1
    mean = before["mean"] + (value - before["mean"]) / count
    newer = time >= before["time"]
    return Summary(
        count=count,
        mean=mean,
        squares=before["squares"] + (value - before["mean"]) * (value - mean),
        least=min(before["least"], value),
        most=max(before["most"], value),
        last=value if newer else before["last"],
        time=time if newer else before["time"],
    )


def shown(component: Row) -> Iterator[Output]:
    """As `TrialComponentMetricSummary`."""
    found: Mapping[str, Summary] = component.state.get(STATE, {})
    for name, each in found.items():
        yield {
            "MetricName": name,
            "SourceArn": component.arn,
            "TimeStamp": each["time"],
            "Count": each["count"],
            "Avg": each["mean"],
            "StdDev": math.sqrt(each["squares"] / each["count"]),
            "Min": each["least"],
            "Max": each["most"],
            "Last": each["last"],
        }
