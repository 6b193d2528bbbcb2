"""Functions of metric math that need no more than their arguments."""

from __future__ import annotations

import bisect
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import accumulate, pairwise

from clary.metricmath.values import Operation, Series, safely, series_of

OPERATORS: Mapping[str, Operation] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
    "==": lambda left, right: float(left == right),
    "!=": lambda left, right: float(left != right),
    "<": lambda left, right: float(left < right),
    "<=": lambda left, right: float(left <= right),
    ">": lambda left, right: float(left > right),
    ">=": lambda left, right: float(left >= right),
    "AND": lambda left, right: float(bool(left) and bool(right)),
    "OR": lambda left, right: float(bool(left) or bool(right)),
}

Reduction = Callable[[Sequence[float]], float]

REDUCTIONS: Mapping[str, Reduction] = {
    "AVG": lambda values: math.fsum(values) / len(values) if values else math.nan,
    "MAX": lambda values: max(values, default=math.nan),
    "MIN": lambda values: min(values, default=math.nan),
    "STDDEV": lambda values: _deviation(values) if values else math.nan,
    "SUM": math.fsum,
    "DATAPOINT_COUNT": lambda values: float(len(values)),
}
"""Of one series to a scalar; of several, at each moment, to one series."""


def _deviation(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))


def reduce(function: str, values: Sequence[float]) -> float:
    """NaN where there is no result: of no values, of numbers that are too large together."""
    try:
        return REDUCTIONS[function](values)
    except OverflowError:
        return math.nan


_WITH_GAPS = frozenset({"AVG", "STDDEV"})
"""Where several series are reduced, those without a value count as 0."""


def _points(function: Callable[[float], float]) -> Callable[[Series], Series]:
    def apply(series: Series) -> Series:
        points = {at: safely(lambda value, _: function(value), value, 0.0) for at, value in series.points.items()}
        return series_of(points, series)

    return apply


def _steps(function: Callable[[tuple[int, float], tuple[int, float]], float]) -> Callable[[Series], Series]:
    """Of each point and the one before it."""

    def apply(series: Series) -> Series:
        return series_of(
            {after[0]: function(before, after) for before, after in pairwise(series.points.items())}, series
        )

    return apply


def _running_sum(series: Series) -> Series:
    return series_of(dict(zip(series.points, accumulate(series.points.values()), strict=True)), series)


SERIES: Mapping[str, Callable[[Series], Series]] = {
    "ABS": _points(abs),
    "CEIL": _points(lambda value: float(math.ceil(value))),
    "FLOOR": _points(lambda value: float(math.floor(value))),
    "LOG": _points(math.log),
    "LOG10": _points(math.log10),
    "DIFF": _steps(lambda before, after: after[1] - before[1]),
    "DIFF_TIME": _steps(lambda before, after: float(after[0] - before[0])),
    "RATE": _steps(lambda before, after: (after[1] - before[1]) / (after[0] - before[0])),
    "RUNNING_SUM": _running_sum,
}
"""Of a series to a series; of several, to as many."""


def _part(read: Callable[[datetime], int]) -> Callable[[int], float]:
    return lambda at: float(read(datetime.fromtimestamp(at, UTC)))


MOMENTS: Mapping[str, Callable[[int], float]] = {
    "MINUTE": _part(lambda moment: moment.minute),
    "HOUR": _part(lambda moment: moment.hour),
    "DAY": _part(lambda moment: moment.isoweekday()),
    "DATE": _part(lambda moment: moment.day),
    "MONTH": _part(lambda moment: moment.month),
    "YEAR": _part(lambda moment: moment.year),
    "EPOCH": float,
}
"""Of the second at which a period begins, in UTC."""


def reduced(function: str, array: Sequence[Series]) -> Series:
    """One series of several; `array` is not empty."""
    moments = sorted({at for series in array for at in series.points})
    points = {}
    for at in moments:
        known = [series.points[at] for series in array if at in series.points]
        gaps = [0.0] * (len(array) - len(known)) if function in _WITH_GAPS else []
        points[at] = reduce(function, [*known, *gaps])
    return series_of(points, Series(array[0].period))


def filled(series: Series, by: float | Series | str, moments: Sequence[int]) -> Series:
    """With a value at each moment, as far as there is one: a scalar, another series' value, `REPEAT`, `LINEAR`."""
    known = list(series.points)
    points = {}
    for at in moments:
        value = series.points.get(at)
        if value is None:
            value = _filler(series, by, at, known)
        if value is not None:
            points[at] = value
    return series_of(points, series)


def _filler(series: Series, by: float | Series | str, at: int, known: Sequence[int]) -> float | None:
    if isinstance(by, Series):
        return by.points.get(at)
    if isinstance(by, float):
        return by
    place = bisect.bisect_left(known, at)
    if place == 0 or (by == "LINEAR" and place == len(known)):
        return None
    if by == "REPEAT":
        return series.points[known[place - 1]]
    return _between(series, known[place - 1], known[place], at)


def _between(series: Series, before: int, after: int, at: int) -> float:
    share = (at - before) / (after - before)
    return series.points[before] + share * (series.points[after] - series.points[before])


def chosen(condition: Series, then: float | Series, otherwise: float | Series | None) -> Series:
    """IF, at each moment of the condition. A series that has no value counts as 0 where it is chosen by the condition,
    and is no value where it is chosen against it."""
    points: dict[int, float] = {}
    for at, holds in condition.points.items():
        if holds:
            points[at] = then if isinstance(then, float) else then.points.get(at, 0.0)
        elif isinstance(otherwise, float):
            points[at] = otherwise
        elif otherwise is not None and at in otherwise.points:
            points[at] = otherwise.points[at]
    return series_of(points, condition)
