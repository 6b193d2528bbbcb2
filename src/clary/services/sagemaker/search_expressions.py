"""Search expressions: filters, nested filters, and expressions of them
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_SearchExpression.html).

For what breaks a rule no public source shows AWS's text; the code is ValidationException.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from clary.errors import ValidationError
from clary.services.resources import Params
from clary.services.sagemaker.search_properties import Property, Record, Searchable, walk
from clary.wire import timestamps

MOST_CONDITIONS = 50
"""Of an expression with all that is in it."""

Condition = Callable[[Record], bool]

_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
_TEXTS: Mapping[str, Callable[[str, str], bool]] = {
    "Contains": lambda held, given: given in held,
    "In": lambda held, given: held in [part.strip() for part in given.split(",")],
}


def condition(of: Searchable, expression: Params | None) -> Condition:
    """Whether a record satisfies the expression; without one, all do. Raises ValidationError."""
    if expression is None:
        return lambda _: True
    count = _count(expression)
    if count > MOST_CONDITIONS:
        raise ValidationError(
            f"SearchExpression has {count} filters, nested filters and subexpressions; at most {MOST_CONDITIONS} are "
            "allowed."
        )
    return _expression(of, expression)


def _count(expression: Params) -> int:
    nested = sum(len(each["Filters"]) for each in expression.get("NestedFilters") or ())
    inner = expression.get("SubExpressions") or ()
    return len(expression.get("Filters") or ()) + nested + len(inner) + sum(_count(each) for each in inner)


def _expression(of: Searchable, expression: Params) -> Condition:
    conditions = [
        *(_filter(of, each) for each in expression.get("Filters") or ()),
        *(_nested(of, each) for each in expression.get("NestedFilters") or ()),
        *(_expression(of, each) for each in expression.get("SubExpressions") or ()),
    ]
    if not conditions:
        raise ValidationError("SearchExpression needs at least one Filter, NestedFilter or SubExpression.")
    together = any if expression.get("Operator") == "Or" else all
    return lambda record: together(each(record) for each in conditions)


def _filter(of: Searchable, given: Params) -> Condition:
    found = property_of(of, given["Name"])
    matches = _matches(found, given)
    return lambda record: matches(found.values(record))


def property_of(of: Searchable, name: str) -> Property:
    """Raises ValidationError for a property that the resource has not."""
    found = of.find(name)
    if found is None:
        raise ValidationError(f"{name} is not a valid property of {of.resource}.")
    return found


def _nested(of: Searchable, given: Params) -> Condition:
    """One element of the list satisfies all filters together."""
    name = given["NestedPropertyName"]
    property_of(of, name)
    filters = [(_below(name, each["Name"]), property_of(of, each["Name"]), each) for each in given["Filters"]]
    tests = [(path, _matches(found, each)) for path, found, each in filters]
    path = name.split(".")

    def holds(record: Record) -> bool:
        return any(all(test(list(walk(item, inner))) for inner, test in tests) for item in _items(record, of, path))

    return holds


def _items(record: Record, of: Searchable, path: list[str]) -> Iterator[Any]:
    yield from walk(record.get(of.within, record) if of.within else record, path)


def _below(outer: str, name: str) -> list[str]:
    if not name.startswith(f"{outer}."):
        raise ValidationError(f"{name} is not a property within {outer}.")
    return name[len(outer) + 1 :].split(".")


def _matches(of: Property, given: Params) -> Callable[[list[Any]], bool]:
    named = given.get("Operator") or ("Equals" if "Value" in given else "Exists")
    if named == "Exists":
        return bool
    if named == "NotExists":
        return lambda values: not values
    if "Value" not in given:
        raise ValidationError(f"The operator {named} on {of.name} needs a Value.")
    if of.kind == "whole":
        raise ValidationError(f"{of.name} can only be tested by Exists and NotExists.")
    if named == "NotEquals":
        equal = _test(of, "Equals", given["Value"])
        return lambda values: not any(equal(value) for value in values)
    test = _test(of, named, given["Value"])
    return lambda values: any(test(value) for value in values)


def _test(of: Property, named: str, given: str) -> Callable[[Any], bool]:
    if named in _TEXTS:
        if of.kind not in ("text", "parameter"):
            raise ValidationError(f"The operator {named} is not supported for {of.name}, which is no text.")
        return lambda value: _TEXTS[named](str(value), given)
    if of.kind == "parameter":
        return _parameter_test(of, named, given)
    if named in _ORDERS and of.kind in ("text", "flag"):
        raise ValidationError(f"The operator {named} is not supported for {of.name}, which is no number and no time.")
    compare, wanted = _compare(named), _value(of, given)
    return lambda value: compare(timestamps.in_utc(value) if of.kind == "moment" else value, wanted)


def _compare(named: str) -> Callable[[Any, Any], bool]:
    return _ORDERS[named] if named in _ORDERS else lambda held, given: bool(held == given)


def _parameter_test(of: Property, named: str, given: str) -> Callable[[Any], bool]:
    """Hyperparameters are texts; against a whole number, decimal ones count as whole numbers. Those of trial components
    are numbers besides."""
    compare, wanted = _compare(named), _number(given)
    if wanted is None:
        if named in _ORDERS:
            raise ValidationError(f"The operator {named} on {of.name} needs a number, not '{given}'.")
        return lambda value: bool(value == given)
    whole = wanted.is_integer() and "." not in given

    def test(value: str | float) -> bool:
        number = _number(value)
        return number is not None and compare(int(number) if whole and isinstance(value, str) else number, wanted)

    return test


def _value(of: Property, given: str) -> str | float | bool | datetime:
    if of.kind == "number":
        number = _number(given)
        if number is None:
            raise ValidationError(f"The Value '{given}' for {of.name} is not a number.")
        return number
    if of.kind == "flag":
        return given.lower() == "true"
    if of.kind == "moment":
        try:
            return timestamps.parse(given)
        except ValueError:
            raise ValidationError(f"The Value '{given}' for {of.name} is not an ISO 8601 date-time.") from None
    return given


def _number(text: str | float) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) != float("inf") and number == number else None  # noqa: PLR0124  not a number
