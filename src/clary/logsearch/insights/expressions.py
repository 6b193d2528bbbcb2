"""Expressions as functions of a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from clary.logsearch.insights.errors import BadQuery
from clary.logsearch.insights.functions import FUNCTIONS, before, ceiled, equal, floored, found_by, text
from clary.logsearch.insights.syntax import Apply, Expression, Field, Period, Regex, Value


class Row(Protocol):
    """An event, or what a command has made."""

    def get(self, name: str) -> Any:  # noqa: ANN401
        """A field's value, or None."""
        ...


Evaluate = Callable[[Row], Any]

_DATES = {"datefloor": floored, "dateceil": ceiled}


def compiled(expression: Expression) -> Evaluate:
    """Raises BadQuery for a function that there is not, or with too many arguments."""
    match expression:
        case Value(value):
            return lambda row: value
        case Field(name):
            return lambda row: row.get(name)
        case Apply(function, arguments):
            return _applied(function, arguments)
        case Regex(_) | Period(_):
            raise BadQuery("a regular expression or a period stands where a value is needed")


def truth(value: Any) -> bool:  # noqa: ANN401
    """Whether a condition holds."""
    return bool(value) and value != "0"


def _applied(function: str, arguments: tuple[Expression, ...]) -> Evaluate:
    if function in _LOGIC:
        return _LOGIC[function](arguments)
    if function == "bin" or function in _DATES:
        return _dated(function, arguments)
    if function not in FUNCTIONS:
        raise BadQuery(f"Unknown function: {function}")
    least, most, apply = FUNCTIONS[function]
    if not least <= len(arguments) <= most:
        raise BadQuery(f"Invalid number of arguments of the function {function}")
    parts = [compiled(argument) for argument in arguments]
    if len(parts) == 1:
        (only,) = parts
        return lambda row: apply(only(row))
    return lambda row: apply(*[part(row) for part in parts])


def _dated(function: str, arguments: tuple[Expression, ...]) -> Evaluate:
    """`bin(5m)` is of @timestamp."""
    if function == "bin":
        arguments = (Field("@timestamp"), *arguments)
    if len(arguments) != 2 or not isinstance(arguments[1], Period):
        raise BadQuery(f"{function} needs a period, such as 5m")
    floor, period, moment = _DATES.get(function, floored), arguments[1].milliseconds, compiled(arguments[0])
    return lambda row: floor(moment(row), period)


def _all(arguments: Sequence[Expression]) -> Evaluate:
    parts = [compiled(argument) for argument in arguments]
    return lambda row: all(truth(part(row)) for part in parts)


def _any(arguments: Sequence[Expression]) -> Evaluate:
    parts = [compiled(argument) for argument in arguments]
    return lambda row: any(truth(part(row)) for part in parts)


def _not(arguments: Sequence[Expression]) -> Evaluate:
    part = compiled(arguments[0])
    return lambda row: not truth(part(row))


def _in(arguments: Sequence[Expression]) -> Evaluate:
    value, *others = [compiled(argument) for argument in arguments]

    def holds(row: Row) -> bool:
        found = value(row)
        return found is not None and any(equal(found, other(row)) for other in others)

    return holds


def _like(arguments: Sequence[Expression]) -> Evaluate:
    value, pattern = compiled(arguments[0]), arguments[1]
    if isinstance(pattern, Regex):
        found = found_by(pattern.pattern)
        return lambda row: (what := value(row)) is not None and found(text(what))
    part = text(pattern.value) if isinstance(pattern, Value) else ""
    return lambda row: (what := value(row)) is not None and part in text(what)


def _compared(holds: Callable[[Any, Any], bool]) -> Callable[[Sequence[Expression]], Evaluate]:
    def make(arguments: Sequence[Expression]) -> Evaluate:
        left, right = compiled(arguments[0]), compiled(arguments[1])
        return lambda row: holds(left(row), right(row))

    return make


_LOGIC: dict[str, Callable[[Sequence[Expression]], Evaluate]] = {
    "and": _all,
    "or": _any,
    "not": _not,
    "in": _in,
    "like": _like,
    "=": _compared(equal),
    "!=": _compared(lambda left, right: not equal(left, right)),
    "<": _compared(lambda left, right: before(left, right) is True),
    ">": _compared(lambda left, right: before(right, left) is True),
    "<=": _compared(lambda left, right: before(right, left) is False),
    ">=": _compared(lambda left, right: before(left, right) is False),
}
