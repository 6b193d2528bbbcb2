"""What is measured of a trial component: a summary of each metric in its row, and the values in rows below it, as they
were sent."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from clary.services.resources import Output
from clary.store.rows import Key, Row

BATCH = "trial-component-metrics"
"""The kind of the rows with values: `data` of their spec is a list of measurements."""

SUMMARIES = "measured"
"""In a component's state: by metric, `count`, `mean`, `spread` (the sum of squared distances from it), `least`, `most`,
`last` and `at` (epoch seconds)."""


class Measured(NamedTuple):
    """One value. `at` in epoch seconds; `step` is None where it belongs to no iteration."""

    metric: str
    at: float
    step: int | None
    value: float


def batch_row(component: Row, name: str, data: Iterable[Measured]) -> Row:
    """Values that were sent together; `name` is unique within the component."""
    key = Key(BATCH, component.key.account, component.key.region, f"{component.key.name}/{name}")
    spec = {"data": [list(each) for each in data]}
    made = component.modified
    return Row(key, f"{component.arn}#{name}", "", made, made, spec, {}, parent=component.key.name)


def measured(rows: Iterable[Row]) -> Iterable[Measured]:
    """All values of such rows."""
    return (Measured(*each) for row in rows for each in row.spec["data"])


def noted(component: Row, data: Iterable[Measured]) -> Row:
    """The component with its summaries brought up to date."""
    summaries = dict(component.state.get(SUMMARIES) or {})
    for each in data:
        summaries[each.metric] = _joined(summaries.get(each.metric), each)
    return replace(component, state={**component.state, SUMMARIES: summaries})


def _joined(before: Mapping[str, Any] | None, new: Measured) -> dict[str, Any]:
    """Welford's: mean and spread from one value to the next."""
    if before is None:
        alone = dict.fromkeys(("mean", "least", "most", "last"), new.value)
        return {**alone, "count": 1, "spread": 0.0, "at": new.at}
    count = before["count"] + 1
    distance = new.value - before["mean"]
    mean = before["mean"] + distance / count
    newest = new.at >= before["at"]
    return {
        "count": count,
        "mean": mean,
        "spread": before["spread"] + distance * (new.value - mean),
        "least": min(before["least"], new.value),
        "most": max(before["most"], new.value),
        "last": new.value if newest else before["last"],
        "at": max(before["at"], new.at),
    }


def summaries(component: Row) -> list[Output]:
    """As DescribeTrialComponent shows them."""
    kept = component.state.get(SUMMARIES) or {}
    return [_summary(component.arn, name, kept[name]) for name in sorted(kept)]


def _summary(arn: str, name: str, kept: Mapping[str, Any]) -> Output:
    return {
        "MetricName": name,
        "SourceArn": arn,
        "TimeStamp": kept["at"],
        "Max": kept["most"],
        "Min": kept["least"],
        "Last": kept["last"],
        "Count": kept["count"],
        "Avg": kept["mean"],
        "StdDev": math.sqrt(kept["spread"] / kept["count"]),
    }
