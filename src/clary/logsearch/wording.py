"""What filter patterns of all kinds are made of: values that are compared."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from clary.logsearch import regexes

MOST_REGEXES = 2
"""Regular expressions of one pattern, as on AWS."""


class BadPattern(ValueError):
    """Its text says what is wrong."""


NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
LARGEST = 2**1023
"""Of numbers: JSON has larger ones, no float is."""

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

Comparison = Callable[[Any], bool]
"""Whether a value (a string, or what JSON has) is what a pattern says."""


def unquoted(text: str) -> str:
    """What stands between quotation marks."""
    return _ESCAPED.sub(r"\1", text[1:-1])


def regex(text: str) -> Callable[[str], bool]:
    """`%…%`. Raises BadPattern."""
    try:
        return regexes.compiled(text[1:-1])
    except regexes.BadRegex as bad:
        raise BadPattern(f"Invalid regular expression {text}: {bad}") from None


def number(value: Any) -> float | None:  # noqa: ANN401  what JSON has
    """As a number, where it is one, and not beyond all that a float can hold."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value) if abs(value) <= LARGEST else None
    return float(value) if isinstance(value, str) and len(value) < 64 and NUMBER.fullmatch(value) else None


_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def comparison(operator: str, text: str) -> Comparison:
    """`= 4*`, `!= "a b"`, `> 1000`, `= %4\\d\\d%`. Raises BadPattern."""
    if operator in _ORDERS:
        return _ordered(operator, text)
    equal = _equal(text)
    if operator == "=":
        return equal
    return lambda value: not equal(value)


def _ordered(operator: str, text: str) -> Comparison:
    if not NUMBER.fullmatch(text):
        raise BadPattern(f"Invalid filter pattern: {operator} needs a number, not {text}")
    bound, order = float(text), _ORDERS[operator]

    def holds(value: Any) -> bool:  # noqa: ANN401
        found = number(value)
        return found is not None and order(found, bound)

    return holds


def _equal(text: str) -> Comparison:
    if text.startswith("%"):
        found = regex(text)
        return lambda value: isinstance(value, str | int | float) and found(_text(value))
    if not text.startswith('"') and NUMBER.fullmatch(text):
        bound = float(text)
        return lambda value: value == text or number(value) == bound
    wanted = unquoted(text) if text.startswith('"') else text
    if "*" in wanted:
        return _like(wanted)
    return lambda value: isinstance(value, str | int | float) and _text(value) == wanted


def _text(value: str | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def _like(wanted: str) -> Comparison:
    """With `*` for anything. Pieces are looked for one after the other: the first place is as good as any."""
    first, *middle, last = wanted.split("*")

    def holds(value: Any) -> bool:  # noqa: ANN401
        if not isinstance(value, str | int | float):
            return False
        text = _text(value)
        position, end = len(first), len(text) - len(last)
        if not (text.startswith(first) and text.endswith(last) and position <= end):
            return False
        for piece in middle:
            found = text.find(piece, position, end)
            if found < 0:
                return False
            position = found + len(piece)
        return True

    return holds
