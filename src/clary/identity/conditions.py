"""Condition operators (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html).

A condition holds when one of the key's values matches one of the wanted ones; a negated operator holds when none does,
and so also when the key is absent. `…IfExists`, `ForAllValues:` and `ForAnyValue:` are understood for each operator.
"""

from __future__ import annotations

import base64
import ipaddress
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

from clary.identity.patterns import Context, matching, plain

Test = Callable[[str, str, Context], bool]
"""(value of the request, value of the policy, context) → whether they match."""

Quantifier = Literal["", "ForAllValues", "ForAnyValue"]


class UnknownOperator(ValueError):
    """A policy names a condition operator that IAM does not have."""


def _text_equals(value: str, wanted: str, context: Context) -> bool:
    return value == plain(wanted, context)


def _text_equals_ignoring_case(value: str, wanted: str, context: Context) -> bool:
    return value.casefold() == plain(wanted, context).casefold()


def _text_like(value: str, wanted: str, context: Context) -> bool:
    return matching(wanted, context, arn=False).fullmatch(value) is not None


def _arn_like(value: str, wanted: str, context: Context) -> bool:
    return matching(wanted, context, arn=wanted != "*").fullmatch(value) is not None


def _truth_equals(value: str, wanted: str, context: Context) -> bool:
    return value.lower() == plain(wanted, context).lower()


@lru_cache(maxsize=1024)
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text, strict=False)


@lru_cache(maxsize=1024)
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(text)


def _address_within(value: str, wanted: str, context: Context) -> bool:
    try:
        address, network = _address(value), _network(plain(wanted, context))
    except ValueError:
        return False
    return address in network


def _bytes_equal(value: str, wanted: str, _context: Context) -> bool:
    try:
        return base64.b64decode(value, validate=True) == base64.b64decode(wanted, validate=True)
    except ValueError:
        return False


@lru_cache(maxsize=1024)
def _moment(text: str) -> float:
    """Epoch seconds of an ISO 8601 date or of epoch seconds. Raises ValueError."""
    try:
        return _number(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def _number(text: str) -> float:
    """Raises ValueError: Python would take `1_000`, `nan` and `inf` as well."""
    if not _NUMBER.fullmatch(text.strip()):
        raise ValueError(text)
    return float(text)


def _comparing(read: Callable[[str], float], compare: Callable[[float, float], bool]) -> Test:
    def test(value: str, wanted: str, context: Context) -> bool:
        try:
            return compare(read(value), read(plain(wanted, context)))
        except ValueError:
            return False

    return test


_ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}

_POSITIVE: dict[str, Test] = {
    "StringEquals": _text_equals,
    "StringEqualsIgnoreCase": _text_equals_ignoring_case,
    "StringLike": _text_like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": _truth_equals,
    "IpAddress": _address_within,
    "BinaryEquals": _bytes_equal,
    **{f"Numeric{name}": _comparing(_number, compare) for name, compare in _ORDERINGS.items()},
    **{f"Date{name}": _comparing(_moment, compare) for name, compare in _ORDERINGS.items()},
}

_NEGATED: dict[str, Test] = {
    "StringNotEquals": _text_equals,
    "StringNotEqualsIgnoreCase": _text_equals_ignoring_case,
    "StringNotLike": _text_like,
    "ArnNotEquals": _arn_like,
    "ArnNotLike": _arn_like,
    "NotIpAddress": _address_within,
    "NumericNotEquals": _POSITIVE["NumericEquals"],
    "DateNotEquals": _POSITIVE["DateEquals"],
}

_TESTS: Mapping[str, tuple[Test, bool]] = {
    **{name.lower(): (test, False) for name, test in _POSITIVE.items()},
    **{name.lower(): (test, True) for name, test in _NEGATED.items()},
}
"""By operator in lower case: the test, and whether it is negated."""

_QUANTIFIERS: Mapping[str, Quantifier] = {"forallvalues": "ForAllValues", "foranyvalue": "ForAnyValue"}


@dataclass(frozen=True, slots=True)
class Presence:
    """The operator `Null`: "true" asks for a key that is absent, "false" for one that is there."""

    key: str
    """In lower case."""
    wanted: tuple[str, ...]
    name: str
    """The key as it is written."""

    def holds(self, context: Context) -> bool:
        """Whether the request satisfies it."""
        absent = not context.get(self.key)
        return any((text.lower() == "true") == absent for text in self.wanted)


@dataclass(frozen=True, slots=True)
class Condition:
    """One key under one other operator."""

    key: str
    """In lower case."""
    wanted: tuple[str, ...]
    test: Test
    negated: bool
    if_exists: bool
    quantifier: Quantifier
    name: str
    """The key as it is written."""

    def holds(self, context: Context) -> bool:
        """Whether the request satisfies it. Raises MissingValue."""
        values = context.get(self.key, ())
        if self.quantifier:  # sets know no empty text: a set of nothing but that is empty
            values = [value for value in values if value]
        if not values:
            return self.if_exists or self.quantifier == "ForAllValues" or (self.negated and not self.quantifier)
        every = self.quantifier == "ForAllValues" or (self.negated and not self.quantifier)
        fits = (self._fits(value, context) for value in values)
        return all(fits) if every else any(fits)

    def _fits(self, value: str, context: Context) -> bool:
        return any(self.test(value, wanted, context) for wanted in self.wanted) is not self.negated


def _split(name: str) -> tuple[Quantifier, str, bool]:
    prefix, colon, rest = name.partition(":")
    quantifier = _QUANTIFIERS.get(prefix.lower()) if colon else ""
    if quantifier is None:
        raise UnknownOperator(name)
    body = (rest if colon else name).lower()
    return quantifier, body.removesuffix("ifexists"), body.endswith("ifexists")


def _texts(values: object) -> tuple[str, ...]:
    listed = values if isinstance(values, list) else [values]
    return tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in listed)


def condition(name: str, key: str, values: object) -> Condition | Presence:
    """One entry of a statement's Condition block. Raises UnknownOperator."""
    quantifier, body, if_exists = _split(name)
    if body == "null" and not if_exists:
        return Presence(key.lower(), _texts(values), key)
    found = _TESTS.get(body)
    if found is None:
        raise UnknownOperator(name)
    return Condition(key.lower(), _texts(values), found[0], found[1], if_exists, quantifier, key)
