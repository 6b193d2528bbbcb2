"""The values of a trial component's metrics: the rows below it, one for each call that put some."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from statistics import fmean, pstdev
from typing import NamedTuple

from clary.store.rows import Key, Row

KIND = "trial-component-values"


class Value(NamedTuple):
    """One, as it was put."""

    name: str
    step: int | None
    time: float
    """Seconds since 1970."""
    value: float


def batch(component: Key, values: Sequence[Value]) -> Row:
    """The row of values that came together."""
    name, now = f"{component.name}/{time.time_ns():020d}/{uuid.uuid4().hex}", datetime.now(UTC)
    key = Key(KIND, component.account, component.region, name)
    arn = f"{KIND}:{key.account}:{key.region}:{name}"
    return Row(key, arn, "", now, now, {}, {"values": [list(each) for each in values]}, parent=component.name)


def values_of(rows: Iterable[Row], name: str) -> list[Value]:
    """Those of one metric, in the order of their times."""
    every = (Value(*each) for row in rows for each in row.state["values"])
    return sorted((each for each in every if each.name == name), key=lambda each: each.time)


STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Min": min,
    "Max": max,
    "Avg": fmean,
    "Count": lambda values: float(len(values)),
    "StdDev": pstdev,
    "Last": lambda values: values[-1],
}
"""Of values in the order of their times."""

PERIODS = {"OneMinute": 60, "FiveMinute": 300, "OneHour": 3600}
"""Seconds."""

BY_STEP = "IterationNumber"


def by_step(values: Iterable[Value], statistic: str) -> Iterator[tuple[int, int, float]]:
    """Of each step that values were put with: the step, when its last value came (seconds since 1970), the
    statistic."""
    placed = sorted((each for each in values if each.step is not None), key=lambda each: (each.step, each.time))
    for step, group in groupby(placed, key=lambda each: each.step):
        those = list(group)
        yield int(step or 0), math.floor(those[-1].time), STATISTICS[statistic]([each.value for each in those])


def by_time(values: Iterable[Value], statistic: str, seconds: int) -> Iterator[tuple[int, float]]:
    """Of each stretch of so many seconds with values: when it began (seconds since 1970), and the statistic."""
    for begin, group in groupby(values, key=lambda each: math.floor(each.time / seconds) * seconds):
        yield begin, STATISTICS[statistic]([each.value for each in group])
