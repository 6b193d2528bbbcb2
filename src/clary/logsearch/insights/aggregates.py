"""What `stats` makes of many rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

from clary.logsearch.insights.errors import BadQuery
from clary.logsearch.insights.expressions import Evaluate, Row, compiled
from clary.logsearch.insights.functions import number, rank
from clary.logsearch.insights.syntax import Apply, Expression, Field, Value


class Aggregate(Protocol):
    """Takes rows one by one."""

    def add(self, row: Row) -> None:
        """One more."""
        ...

    def result(self) -> Any:  # noqa: ANN401  a string, a number, None
        """Of all together."""
        ...


class _Count:
    def __init__(self, value: Evaluate | None) -> None:
        self._value = value
        self._count = 0

    def add(self, row: Row) -> None:
        if self._value is None or self._value(row) is not None:
            self._count += 1

    def result(self) -> int:
        return self._count


class _Different:
    def __init__(self, value: Evaluate) -> None:
        self._value = value
        self._seen: set[tuple[int, Any]] = set()

    def add(self, row: Row) -> None:
        value = self._value(row)
        if value is not None:
            self._seen.add(rank(value))

    def result(self) -> int:
        return len(self._seen)


class _Sum:
    """Also the average (`mean`): nothing of no numbers."""

    def __init__(self, value: Evaluate, *, mean: bool) -> None:
        self._value = value
        self._mean = mean
        self._total = 0.0
        self._count = 0

    def add(self, row: Row) -> None:
        value = number(self._value(row))
        if value is not None:
            self._total += value
            self._count += 1

    def result(self) -> float | None:
        if not self._count:
            return None
        return self._total / self._count if self._mean else self._total


class _Extreme:
    """The least or the most; of times and text too."""

    def __init__(self, value: Evaluate, better: Callable[[Any, Any], bool]) -> None:
        self._value = value
        self._better = better
        self._rank: tuple[int, Any] | None = None
        self._found: Any = None

    def add(self, row: Row) -> None:
        value = self._value(row)
        if value is None:
            return
        its = rank(value)
        if self._rank is None or self._better(its, self._rank):
            self._rank, self._found = its, value

    def result(self) -> Any:  # noqa: ANN401
        return self._found


class _Edge:
    """The value of the row that is least (earliest) or most (latest) by another value."""

    def __init__(self, value: Evaluate, by: Evaluate, better: Callable[[Any, Any], bool]) -> None:
        self._value = value
        self._by = by
        self._better = better
        self._rank: tuple[int, Any] | None = None
        self._found: Any = None

    def add(self, row: Row) -> None:
        value = self._value(row)
        if value is None:
            return
        its = rank(self._by(row))
        if self._rank is None or self._better(its, self._rank):
            self._rank, self._found = its, value

    def result(self) -> Any:  # noqa: ANN401
        return self._found


class _Numbers:
    """Keeps all numbers: percentiles, median, standard deviation."""

    def __init__(self, value: Evaluate, result: Callable[[list[float]], float]) -> None:
        self._value = value
        self._result = result
        self._numbers: list[float] = []

    def add(self, row: Row) -> None:
        value = number(self._value(row))
        if value is not None:
            self._numbers.append(value)

    def result(self) -> float | None:
        """None where there is none, or what comes out is beyond all numbers."""
        try:
            return self._result(sorted(self._numbers)) if self._numbers else None
        except (OverflowError, ValueError):
            return None


def percentile(ordered: list[float], percent: float) -> float:
    """The value below or at which `percent` of all lie."""
    return ordered[max(0, min(len(ordered), math.ceil(percent / 100 * len(ordered))) - 1)]


def _deviation(values: list[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))


def _less(left: Any, right: Any) -> bool:  # noqa: ANN401
    return bool(left < right)


def _more(left: Any, right: Any) -> bool:  # noqa: ANN401
    return bool(left > right)


_TIME = compiled(Field("@timestamp"))
_OF_ONE: dict[str, Callable[[Evaluate], Aggregate]] = {
    "count_distinct": _Different,
    "sum": lambda value: _Sum(value, mean=False),
    "avg": lambda value: _Sum(value, mean=True),
    "min": lambda value: _Extreme(value, _less),
    "max": lambda value: _Extreme(value, _more),
    "stddev": lambda value: _Numbers(value, _deviation),
    "median": lambda value: _Numbers(value, lambda ordered: percentile(ordered, 50)),
    "earliest": lambda value: _Edge(value, _TIME, _less),
    "latest": lambda value: _Edge(value, _TIME, _more),
    "sortsfirst": lambda value: _Extreme(value, _less),
    "sortslast": lambda value: _Extreme(value, _more),
}


def maker(expression: Expression) -> Callable[[], Aggregate]:
    """Makes an aggregate for each group. Raises BadQuery for what is none."""
    if not isinstance(expression, Apply):
        raise BadQuery("stats needs functions such as count(*)")
    function, arguments = expression.function, expression.arguments
    if function == "count":
        return _counting(arguments)
    if function in ("pct", "percentile"):
        return _of_percent(arguments)
    if function not in _OF_ONE:
        raise BadQuery(f"Unknown aggregate function: {function}")
    if len(arguments) != 1:
        raise BadQuery(f"Invalid number of arguments of the function {function}")
    value, make = compiled(arguments[0]), _OF_ONE[function]
    return lambda: make(value)


def _counting(arguments: tuple[Expression, ...]) -> Callable[[], Aggregate]:
    if len(arguments) > 1:
        raise BadQuery("Invalid number of arguments of the function count")
    value = None if not arguments or arguments[0] == Value("*") else compiled(arguments[0])
    return lambda: _Count(value)


def _of_percent(arguments: tuple[Expression, ...]) -> Callable[[], Aggregate]:
    if len(arguments) != 2 or not isinstance(arguments[1], Value):
        raise BadQuery("pct needs a field and a number from 0 to 100")
    percent = number(arguments[1].value)
    if percent is None or not 0 <= percent <= 100:
        raise BadQuery("pct needs a field and a number from 0 to 100")
    value, share = compiled(arguments[0]), percent
    return lambda: _Numbers(value, lambda ordered: percentile(ordered, share))
