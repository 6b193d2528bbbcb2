"""Conditions on fields, true, false, or unknown where a value is missing
(https://dmg.org/pmml/v4-4-1/TreeModel.html)."""

from __future__ import annotations

import operator
from typing import Any, Callable, Mapping, NamedTuple

import numpy as np

from clary.toolkit.pmml.columns import STRING, Columns, constant_of
from clary.toolkit.pmml.reading import Element, Invalid, words

Array = Any
Kinds = Mapping[str, str]
"""The data types of the fields that are known, by their names."""
TAGS = ("SimplePredicate", "CompoundPredicate", "SimpleSetPredicate", "True", "False")


class Truth(NamedTuple):
    """Of each row; what is unknown is not true."""

    true: Array
    unknown: Array


Predicate = Callable[[Columns, Array], Truth]
"""Asked of some rows, by their places."""

_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "equal": operator.eq,
    "notEqual": operator.ne,
    "lessThan": operator.lt,
    "lessOrEqual": operator.le,
    "greaterThan": operator.gt,
    "greaterOrEqual": operator.ge,
}


def predicate(element: Element, kinds: Kinds) -> Predicate:
    """Raises Invalid."""
    if element.tag in ("True", "False"):
        return _always(element.tag == "True")
    if element.tag == "CompoundPredicate":
        return _compound(element, kinds)
    field = element.need("field")
    if field not in kinds:
        raise Invalid(f"{element.tag} asks for {field[:60]!r}, which is no field")
    return _in_set(element, field, kinds[field]) if element.tag == "SimpleSetPredicate" else _simple(element, kinds)


def always_true(element: Element) -> bool:
    """Whether there is nothing to ask."""
    return element.tag == "True"


def _always(said: bool) -> Predicate:
    def ask(_columns: Columns, rows: Array) -> Truth:
        return Truth(np.full(len(rows), said), np.zeros(len(rows), bool))

    return ask


def _simple(element: Element, kinds: Kinds) -> Predicate:
    field, name = element.need("field"), element.need("operator")
    if name in ("isMissing", "isNotMissing"):
        return _missing(field, wanted=name == "isMissing")
    if name not in _COMPARISONS:
        raise Invalid(f"the operator {name[:40]!r} of SimplePredicate is not known")
    compare = _COMPARISONS[name]
    if kinds[field] == STRING and name not in ("equal", "notEqual"):
        raise Invalid(f"{field[:60]!r} is a string, of which {name} cannot be asked")
    value = constant_of(element.need("value"), kinds[field], f"SimplePredicate of {field[:60]!r}")

    def ask(columns: Columns, rows: Array) -> Truth:
        column = columns[field]
        unknown = column.missing[rows]
        return Truth(compare(column.values[rows], value).astype(bool) & ~unknown, unknown)

    return ask


def _missing(field: str, *, wanted: bool) -> Predicate:
    def ask(columns: Columns, rows: Array) -> Truth:
        return Truth(columns[field].missing[rows] == wanted, np.zeros(len(rows), bool))

    return ask


def _in_set(element: Element, field: str, kind: str) -> Predicate:
    name = element.need("booleanOperator")
    if name not in ("isIn", "isNotIn"):
        raise Invalid(f"the operator {name[:40]!r} of SimpleSetPredicate is not known")
    wanted = [constant_of(each, kind, f"SimpleSetPredicate of {field[:60]!r}") for each in words(element.only("Array"))]

    def ask(columns: Columns, rows: Array) -> Truth:
        column = columns[field]
        unknown = column.missing[rows]
        return Truth((np.isin(column.values[rows], wanted) == (name == "isIn")) & ~unknown, unknown)

    return ask


def _compound(element: Element, kinds: Kinds) -> Predicate:
    parts = [predicate(child, kinds) for child in element.all(*TAGS)]
    join = _JOINS.get(element.need("booleanOperator"))
    if join is None or not parts:
        raise Invalid(f"CompoundPredicate of {element.get('booleanOperator')[:40]!r}, {len(parts)} parts")

    def ask(columns: Columns, rows: Array) -> Truth:
        found = parts[0](columns, rows)
        for part in parts[1:]:
            found = join(found, part(columns, rows))
        return found

    return ask


def _false(truth: Truth) -> Array:
    return ~truth.true & ~truth.unknown


def _and(one: Truth, other: Truth) -> Truth:
    true, false = one.true & other.true, _false(one) | _false(other)
    return Truth(true, ~true & ~false)


def _or(one: Truth, other: Truth) -> Truth:
    true, false = one.true | other.true, _false(one) & _false(other)
    return Truth(true, ~true & ~false)


def _xor(one: Truth, other: Truth) -> Truth:
    unknown = one.unknown | other.unknown
    return Truth((one.true ^ other.true) & ~unknown, unknown)


def _surrogate(one: Truth, other: Truth) -> Truth:
    """The second is asked where the first is unknown."""
    return Truth(np.where(one.unknown, other.true, one.true), one.unknown & other.unknown)


_JOINS: Mapping[str, Callable[[Truth, Truth], Truth]] = {"and": _and, "or": _or, "xor": _xor, "surrogate": _surrogate}
