"""What expressions are of: scalars, series, and several series."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import cast

from clary.metricmath.expression import BadExpression


@dataclass(frozen=True)
class Series:
    """Values by the second at which their period begins, ordered by it."""

    period: int
    """Seconds."""
    points: Mapping[int, float] = field(default_factory=dict)
    label: str = ""


MOST_SERIES = 500
"""In one array, as in one request of GetMetricData."""

Value = float | Series | tuple[Series, ...]
"""A scalar that is not known (the average of nothing) is NaN."""

Operation = Callable[[float, float], float]


def series_of(points: Mapping[int, float], like: Series) -> Series:
    """With a period and a label; what is no number is dropped."""
    kept = {at: value for at, value in points.items() if math.isfinite(value)}
    return Series(like.period, kept, like.label)


def combined(operation: Operation, left: Value, right: Value) -> Value:
    """Point by point: where only one side has a value the other one's is 0. Raises BadExpression."""
    if isinstance(left, tuple) or isinstance(right, tuple):
        return _each(operation, left, right)
    if isinstance(left, Series) and isinstance(right, Series):
        if left.period != right.period:
            raise BadExpression("metrics of different periods cannot be combined")
        moments = sorted({*left.points, *right.points})
        points = {at: safely(operation, left.points.get(at, 0.0), right.points.get(at, 0.0)) for at in moments}
        return series_of(points, left)
    if isinstance(left, Series):
        return series_of(
            {at: safely(operation, value, cast("float", right)) for at, value in left.points.items()}, left
        )
    if isinstance(right, Series):
        return series_of({at: safely(operation, left, value) for at, value in right.points.items()}, right)
    return safely(operation, left, right)


def _each(operation: Operation, left: Value, right: Value) -> tuple[Series, ...]:
    if isinstance(left, tuple) and isinstance(right, tuple):
        if len(left) != len(right):
            raise BadExpression("arrays of time series of different lengths cannot be combined")
        pairs: list[tuple[Value, Value]] = list(zip(left, right, strict=True))
    elif isinstance(left, tuple):
        pairs = [(each, right) for each in left]
    else:
        pairs = [(left, each) for each in cast("tuple[Series, ...]", right)]
    return tuple(cast("Series", combined(operation, one, other)) for one, other in pairs)


def array_of(series: Iterable[Series]) -> tuple[Series, ...]:
    """Raises BadExpression for more than an array holds."""
    found = tuple(islice(series, MOST_SERIES + 1))
    if len(found) > MOST_SERIES:
        raise BadExpression(f"an array has at most {MOST_SERIES} time series")
    return found


def safely(operation: Operation, left: float, right: float) -> float:
    """NaN where it has no result: a division by zero, a number too large."""
    try:
        result = operation(left, right)
    except (ZeroDivisionError, OverflowError, ValueError):
        return math.nan
    return math.nan if isinstance(result, complex) else float(result)
