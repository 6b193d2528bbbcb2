"""The built-in functions that expressions apply (https://dmg.org/pmml/v4-4-1/BuiltinFunctions.html)."""

from __future__ import annotations

import functools
import operator
from typing import Any, Callable, List, Mapping, NamedTuple, Tuple

import numpy as np

from clary.toolkit.pmml.columns import BOOLEAN, DOUBLE, INTEGER, STRING, Column, strings

Array = Any


class Function(NamedTuple):
    """What is applied: to so many columns, which gives such a kind."""

    least: int
    most: int
    kind: str
    apply: Callable[[List[Column]], Column]


_ANY = 1_000


def _numeric(function: Callable[..., Any], least: int = 1, most: int = 1, kind: str = DOUBLE) -> Function:
    """Missing where an argument is."""

    def apply(given: List[Column]) -> Column:
        values = np.asarray(function(*(column.values for column in given)), float)
        return Column(kind, values, _any_missing(given))

    return Function(least, most, kind, apply)


def _any_missing(given: List[Column]) -> Array:
    return functools.reduce(np.logical_or, (column.missing for column in given))


def _compared(function: Callable[[Any, Any], Any]) -> Function:
    return _numeric(lambda one, other: function(one, other).astype(float), 2, 2, BOOLEAN)


def _together(function: Callable[..., Any]) -> Function:
    """Of those that are not missing; missing where all are."""

    def apply(given: List[Column]) -> Column:
        table = np.stack([np.where(column.missing, np.nan, column.values) for column in given])
        gone = np.all(np.isnan(table), axis=0)
        return Column(DOUBLE, np.where(gone, np.nan, function(np.where(gone, 0.0, table), axis=0)), gone)

    return Function(1, _ANY, DOUBLE, apply)


def _is_missing(given: List[Column]) -> Column:
    return Column(BOOLEAN, given[0].missing.astype(float), np.zeros(len(given[0].missing), bool))


def _is_there(given: List[Column]) -> Column:
    return Column(BOOLEAN, (~given[0].missing).astype(float), np.zeros(len(given[0].missing), bool))


def _if(given: List[Column]) -> Column:
    condition, chosen = given[0], given[1]
    yes = (condition.values == 1) & ~condition.missing
    other = given[2].values if len(given) > 2 else chosen.values
    gone = given[2].missing if len(given) > 2 else np.ones(len(yes), bool)
    missing = condition.missing | np.where(yes, chosen.missing, gone)
    return Column(chosen.kind, np.where(yes, chosen.values, other), missing)


def _all_of(given: List[Column]) -> Column:
    false = functools.reduce(np.logical_or, ((column.values == 0) & ~column.missing for column in given))
    missing = _any_missing(given) & ~false
    return Column(BOOLEAN, (~false & ~missing).astype(float), missing)


def _any_of(given: List[Column]) -> Column:
    true = functools.reduce(np.logical_or, ((column.values == 1) & ~column.missing for column in given))
    return Column(BOOLEAN, true.astype(float), _any_missing(given) & ~true)


def _among(given: List[Column]) -> Column:
    found = functools.reduce(np.logical_or, (given[0].values == each.values for each in given[1:]))
    return Column(BOOLEAN, np.asarray(found, float), given[0].missing)


def _not_among(given: List[Column]) -> Column:
    found = _among(given)
    return found._replace(values=1.0 - found.values)


def _of_text(function: Callable[..., str], least: int = 1, most: int = 1) -> Function:
    def apply(given: List[Column]) -> Column:
        rows = zip(*(column.to_list() for column in given))  # noqa: B905 - Python 3.8
        missing = _any_missing(given)
        found = ["" if gone else function(*row) for row, gone in zip(rows, missing)]  # noqa: B905
        return strings(found, missing)

    return Function(least, most, STRING, apply)


def _length(given: List[Column]) -> Column:
    values = np.asarray([len(value) for value in given[0].values], float)
    return Column(INTEGER, values, given[0].missing)


def _half_up(values: Array) -> Array:
    return np.floor(values + 0.5)


_UNARY = ("exp", "expm1", "sqrt", "floor", "ceil", "rint", "log10", "sin", "sinh", "cos", "cosh", "tan", "tanh")
_RENAMED = {"ln": "log", "ln1p": "log1p", "asin": "arcsin", "acos": "arccos", "atan": "arctan"}
_BINARY: Tuple[Tuple[str, Callable[..., Any]], ...] = (
    ("+", operator.add),
    ("-", operator.sub),
    ("*", operator.mul),
    ("/", operator.truediv),
    ("pow", operator.pow),
    ("modulo", operator.mod),
    ("hypot", np.hypot),
    ("threshold", lambda one, other: (one > other).astype(float)),
)
_COMPARED: Tuple[Tuple[str, Callable[..., Any]], ...] = (
    ("equal", operator.eq),
    ("notEqual", operator.ne),
    ("lessThan", operator.lt),
    ("lessOrEqual", operator.le),
    ("greaterThan", operator.gt),
    ("greaterOrEqual", operator.ge),
)

FUNCTIONS: Mapping[str, Function] = {
    **{name: _numeric(getattr(np, name)) for name in _UNARY},
    **{name: _numeric(getattr(np, own)) for name, own in _RENAMED.items()},
    **{name: _numeric(function, 2, 2) for name, function in _BINARY},
    **{name: _compared(function) for name, function in _COMPARED},
    "abs": _numeric(np.abs),
    "round": _numeric(_half_up),
    "not": _numeric(lambda value: 1.0 - value, kind=BOOLEAN),
    "min": _together(np.nanmin),
    "max": _together(np.nanmax),
    "sum": _together(np.nansum),
    "avg": _together(np.nanmean),
    "median": _together(np.nanmedian),
    "product": _together(np.nanprod),
    "isMissing": Function(1, 1, BOOLEAN, _is_missing),
    "isNotMissing": Function(1, 1, BOOLEAN, _is_there),
    "if": Function(2, 3, "", _if),
    "and": Function(2, _ANY, BOOLEAN, _all_of),
    "or": Function(2, _ANY, BOOLEAN, _any_of),
    "isIn": Function(2, _ANY, BOOLEAN, _among),
    "isNotIn": Function(2, _ANY, BOOLEAN, _not_among),
    "lowercase": _of_text(str.lower),
    "uppercase": _of_text(str.upper),
    "trimBlanks": _of_text(str.strip),
    "substring": _of_text(lambda text, start, length: text[int(start) - 1 : int(start) - 1 + int(length)], 3, 3),
    "concat": _of_text(lambda *texts: "".join(map(str, texts)), 2, _ANY),
    "stringLength": Function(1, 1, INTEGER, _length),
}
"""The kind of `if` is that of what it gives."""
