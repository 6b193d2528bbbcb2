"""Queries that depend on one another, and their values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

from clary.metricmath.expression import Apply, BadExpression, Name, Node, Number, Several, Text, Word
from clary.metricmath.functions import MOMENTS, OPERATORS, REDUCTIONS, SERIES, chosen, filled, reduce, reduced
from clary.metricmath.values import Series, Value, array_of, combined

MOST_POINTS = 100_800
"""Of a series that is made: as many as an answer holds."""

MOST_CALCULATED = 2_000_000
"""Datapoints of one request, those in between too: a second or two of work."""

_SORTS = ("AVG", "MIN", "MAX", "SUM")
_NOT_OFFERED = ("ANOMALY_DETECTION_BAND", "INSIGHT_RULE_METRIC", "SERVICE_QUOTA", "LAMBDA")


Find = Callable[[str, str, int], Iterable[Series]]
"""The metrics that a search finds, with a statistic and a period (seconds)."""


def _find_nothing(_search: str, _statistic: str, _period: int) -> Iterable[Series]:
    raise BadExpression("SEARCH is not supported on Metric Alarms.")


class Graph:
    """The queries of one request: metrics, read when they are needed, and expressions on them."""

    def __init__(
        self,
        metrics: Mapping[str, Callable[[], Series]],
        expressions: Mapping[str, Node],
        moments: Callable[[int], range],
        period: int,
        find: Find = _find_nothing,
    ) -> None:
        """`moments`: where periods of so many seconds begin; `period` is that of what has none of its own; `find` is
        what SEARCH asks."""
        self._find = find
        self._metrics = metrics
        self._expressions = expressions
        self._moments = moments
        self._period = period
        self._known: dict[str, Value] = {}
        self._open: list[str] = []
        self._spent = 0

    def value(self, id_: str) -> Value:
        """Of the query with this Id. Raises BadExpression."""
        try:
            return self._value(id_)
        except RecursionError:
            raise BadExpression("it is too deep, with all that it is made of") from None

    def _value(self, id_: str) -> Value:
        if id_ not in self._known:
            if id_ in self._open:
                raise BadExpression(f"{' -> '.join([*self._open, id_])} depend on one another")
            self._open.append(id_)
            self._known[id_] = self._found(id_)
            self._open.pop()
        return self._known[id_]

    def series(self, id_: str) -> tuple[Series, ...]:
        """Of a query whose result may be returned. Raises BadExpression where it is a scalar."""
        value = self.value(id_)
        if isinstance(value, float):
            raise BadExpression("the result is a scalar; it must be a time series or an array of time series")
        return (value,) if isinstance(value, Series) else value

    def _found(self, id_: str) -> Value:
        if id_ in self._metrics:
            return self._metrics[id_]()
        if id_ in self._expressions:
            return self._of(self._expressions[id_])
        raise BadExpression(f"there is no query with the Id {id_}")

    def _of(self, node: Node) -> Value:
        match node:
            case Number(value):
                return value
            case Name(id_):
                return self._value(id_)
            case Several(items):
                return array_of(series for item in items for series in _array(self._of(item)))
            case Apply("-", (only,)):
                return self._counted(combined(OPERATORS["*"], -1.0, self._of(only)))
            case Apply(function, (left, right)) if function in OPERATORS:
                return self._counted(combined(OPERATORS[function], self._of(left), self._of(right)))
            case Apply(function, arguments):
                return self._counted(self._applied(function, arguments))
            case Text(text) | Word(text):
                raise BadExpression(f"{text} is no value")

    def _counted(self, value: Value) -> Value:
        """Raises BadExpression where a request wants more than it may: everybody else waits meanwhile."""
        if not isinstance(value, float):
            self._spent += sum(len(series.points) for series in _array(value))
        if self._spent > MOST_CALCULATED:
            raise BadExpression(f"more than {MOST_CALCULATED} datapoints would have to be calculated")
        return value

    def _applied(self, function: str, arguments: tuple[Node, ...]) -> Value:
        special = _SPECIAL.get(function)
        if special is not None:
            return special(self, arguments)
        if function in _NOT_OFFERED:
            raise BadExpression(f"Clary does not offer the function {function}")
        known = {**SERIES, **REDUCTIONS, **MOMENTS}
        if function not in known:
            raise BadExpression(f"Function '{function}' not found")
        if len(arguments) != 1:
            raise _wrong(function)
        return self._of_one(function, self._of(arguments[0]))

    def _of_one(self, function: str, value: Value) -> Value:
        if isinstance(value, float):
            raise _wrong(function)
        if function in SERIES:
            each = SERIES[function]
            return each(value) if isinstance(value, Series) else tuple(map(each, value))
        if function in REDUCTIONS:
            return self._reduced(function, value)
        if not isinstance(value, Series):
            raise _wrong(function)
        moment = MOMENTS[function]
        return Series(value.period, {at: moment(at) for at in self.moments(value.period)}, value.label)

    def _reduced(self, function: str, value: Series | tuple[Series, ...]) -> Value:
        if isinstance(value, Series):
            return reduce(function, list(value.points.values()))
        return reduced(function, value) if value else Series(self._period)

    def moments(self, period: int) -> range:
        """Where periods begin. Raises BadExpression where they are too many."""
        found = self._moments(period)
        if len(found) > MOST_POINTS:
            raise BadExpression(f"a time series has at most {MOST_POINTS} datapoints")
        return found

    # functions with arguments of their own

    def metrics(self, arguments: Sequence[Node]) -> Value:
        """METRICS() and METRICS("part of the Id")."""
        part = arguments[0].value if arguments and isinstance(arguments[0], Text) else ""
        if len(arguments) > 1 or (arguments and not isinstance(arguments[0], Text)):
            raise _wrong("METRICS")
        return tuple(cast("Series", self._value(id_)) for id_ in self._metrics if part in id_)

    def search(self, arguments: Sequence[Node]) -> Value:
        """SEARCH('search', 'statistic'[, period])."""
        texts = [node.value for node in arguments[:2] if isinstance(node, Text)]
        if len(texts) != 2 or len(arguments) > 3:
            raise _wrong("SEARCH")
        period = int(self._scalar("SEARCH", arguments, 2, 3)) if len(arguments) == 3 else self._period
        found = []
        for series in self._find(texts[0], texts[1], period):
            self._counted(series)  # at once: the next one is not read where there are too many
            found.append(series)
        return tuple(found)

    def fill(self, arguments: Sequence[Node]) -> Value:
        """FILL(series, scalar | series | REPEAT | LINEAR)."""
        if len(arguments) != 2:
            raise _wrong("FILL")
        value, by = self._of(arguments[0]), self._filler(arguments[1])
        if isinstance(value, Series):
            return filled(value, by, self.moments(value.period))
        return tuple(filled(series, by, self.moments(series.period)) for series in _array(value))

    def _filler(self, node: Node) -> float | Series | str:
        if isinstance(node, Word) and node.name in ("REPEAT", "LINEAR"):
            return node.name
        value = self._of(node)
        if isinstance(value, tuple):
            raise _wrong("FILL")
        return value

    def choose(self, arguments: Sequence[Node]) -> Value:
        """IF(condition, then[, otherwise])."""
        if len(arguments) not in (2, 3):
            raise _wrong("IF")
        values = [self._of(argument) for argument in arguments]
        condition, then, *rest = values
        otherwise = rest[0] if rest else None
        if isinstance(condition, float):
            return then if condition else Series(self._period) if otherwise is None else otherwise
        if not isinstance(condition, Series) or isinstance(then, tuple) or isinstance(otherwise, tuple):
            raise _wrong("IF")
        return chosen(condition, then, otherwise)

    def period(self, arguments: Sequence[Node]) -> Value:
        """PERIOD(metric), in seconds."""
        if len(arguments) != 1 or not isinstance(arguments[0], Name) or arguments[0].id not in self._metrics:
            raise _wrong("PERIOD")
        return float(cast("Series", self._value(arguments[0].id)).period)

    def time_series(self, arguments: Sequence[Node]) -> Value:
        """TIME_SERIES(scalar)."""
        value = self._scalar("TIME_SERIES", arguments, 0, 1)
        return Series(self._period, dict.fromkeys(self.moments(self._period), value))

    def count(self, arguments: Sequence[Node]) -> Value:
        """METRIC_COUNT(array)."""
        return float(len(self._series_of("METRIC_COUNT", arguments, 1)))

    def first(self, arguments: Sequence[Node]) -> Value:
        """FIRST(array)."""
        return next(iter(self._series_of("FIRST", arguments, 1)), Series(self._period))

    def last(self, arguments: Sequence[Node]) -> Value:
        """LAST(array)."""
        return next(iter(self._series_of("LAST", arguments, 1)[::-1]), Series(self._period))

    def remove_empty(self, arguments: Sequence[Node]) -> Value:
        """REMOVE_EMPTY(array)."""
        return tuple(series for series in self._series_of("REMOVE_EMPTY", arguments, 1) if series.points)

    def slice(self, arguments: Sequence[Node]) -> Value:
        """SLICE(array, start[, end]): one series where one is left to be chosen by a start and an end that say so."""
        array = self._series_of("SLICE", arguments, 3)
        start = int(self._scalar("SLICE", arguments, 1, 3))
        end = int(self._scalar("SLICE", arguments, 2, 3)) if len(arguments) == 3 else len(array)
        return array[max(0, start) : max(0, end)]

    def sort(self, arguments: Sequence[Node]) -> Value:
        """SORT(array, AVG | MIN | MAX | SUM, ASC | DESC[, limit]); series without a value come last."""
        array = self._series_of("SORT", arguments, 4)
        words = [node.name for node in arguments[1:3] if isinstance(node, Word)]
        if len(words) != 2 or words[0] not in _SORTS or words[1] not in ("ASC", "DESC"):
            raise _wrong("SORT")
        limit = int(self._scalar("SORT", arguments, 3, 4)) if len(arguments) == 4 else len(array)
        sign = -1.0 if words[1] == "DESC" else 1.0
        full = sorted(
            (series for series in array if series.points),
            key=lambda series: sign * reduce(words[0], list(series.points.values())),
        )
        return tuple([*full, *(series for series in array if not series.points)][: max(0, limit)])

    def _series_of(self, function: str, arguments: Sequence[Node], most: int) -> tuple[Series, ...]:
        if not 0 < len(arguments) <= most:
            raise _wrong(function)
        return _array(self._of(arguments[0]))

    def _scalar(self, function: str, arguments: Sequence[Node], place: int, most: int) -> float:
        value = self._of(arguments[place]) if place < len(arguments) <= most else None
        if not isinstance(value, float) or not math.isfinite(value):
            raise _wrong(function)
        return value


_SPECIAL: Mapping[str, Callable[[Graph, Sequence[Node]], Value]] = {
    "METRICS": Graph.metrics,
    "SEARCH": Graph.search,
    "FILL": Graph.fill,
    "IF": Graph.choose,
    "PERIOD": Graph.period,
    "TIME_SERIES": Graph.time_series,
    "METRIC_COUNT": Graph.count,
    "FIRST": Graph.first,
    "LAST": Graph.last,
    "REMOVE_EMPTY": Graph.remove_empty,
    "SLICE": Graph.slice,
    "SORT": Graph.sort,
}


def _array(value: Value) -> tuple[Series, ...]:
    if isinstance(value, float):
        raise BadExpression("a scalar stands where a time series is needed")
    return (value,) if isinstance(value, Series) else value


def _wrong(function: str) -> BadExpression:
    return BadExpression(f"the arguments of {function} are not what it takes")
