"""Functions of the language that need no more than their arguments."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from clary.logsearch.wording import LARGEST, NUMBER


def number(value: Any) -> float | None:  # noqa: ANN401  a string, a number, None
    """As a number, where it is one, and not beyond all that a float can hold."""
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, int) and abs(value) <= LARGEST:
        return value
    if isinstance(value, str) and len(value) < 64 and NUMBER.fullmatch(value):
        return float(value)
    return None


def text(value: Any) -> str:  # noqa: ANN401
    """As a result shows it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Moment):
        return shown_moment(value)
    if isinstance(value, int) or (math.isfinite(value) and value == math.floor(value) and abs(value) < 1e15):
        return str(int(value))
    return f"{value:.4f}".rstrip("0").rstrip(".") if math.isfinite(value) and abs(value) < 1e15 else repr(value)


class Moment(int):
    """Milliseconds since 1970 that are shown as a time."""


def shown_moment(milliseconds: int) -> str:
    """As results show times."""
    try:
        moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return str(int(milliseconds))
    return f"{moment:%Y-%m-%d %H:%M:%S}.{milliseconds % 1000:03d}"


def _numeric(function: Callable[..., float]) -> Callable[..., float | None]:
    def apply(*values: Any) -> float | None:  # noqa: ANN401
        numbers = [number(value) for value in values]
        if None in numbers:
            return None
        try:
            found = function(*numbers)
        except (ValueError, OverflowError, ZeroDivisionError):
            return None
        return found if isinstance(found, int | float) else None

    return apply


def _textual(function: Callable[..., Any]) -> Callable[..., Any]:
    def apply(*values: Any) -> Any:  # noqa: ANN401
        return None if values[0] is None else function(*(text(value) for value in values))

    return apply


def _substr(value: str, start: str, length: str = "") -> str:
    begin = max(0, int(number(start) or 0))
    return value[begin : begin + max(0, int(number(length) or 0))] if length else value[begin:]


def _address(value: str, version: int = 0) -> bool:
    try:
        return ipaddress.ip_address(value).version in ((version,) if version else (4, 6))
    except ValueError:
        return False


def _in_subnet(value: str, subnet: str, version: int = 0) -> bool:
    try:
        return _address(value, version) and ipaddress.ip_address(value) in ipaddress.ip_network(subnet, strict=False)
    except ValueError:
        return False


def _coalesce(*values: Any) -> Any:  # noqa: ANN401
    return next((value for value in values if value is not None), None)


def _moment(value: Any) -> Moment | None:  # noqa: ANN401
    found = number(value)
    return None if found is None or not math.isfinite(found) else Moment(int(found))


def floored(value: Any, period: int) -> Moment | None:  # noqa: ANN401
    """`datefloor`: the beginning of the period (milliseconds) of a time."""
    found = _moment(value)
    return None if found is None else Moment(found // period * period)


def ceiled(value: Any, period: int) -> Moment | None:  # noqa: ANN401
    """`dateceil`."""
    found = _moment(value)
    return None if found is None else Moment(-(-found // period) * period)


FUNCTIONS: dict[str, tuple[int, int, Callable[..., Any]]] = {
    "abs": (1, 1, _numeric(abs)),
    "ceil": (1, 1, _numeric(math.ceil)),
    "floor": (1, 1, _numeric(math.floor)),
    "log": (1, 1, _numeric(math.log)),
    "sqrt": (1, 1, _numeric(math.sqrt)),
    "greatest": (1, 20, _numeric(max)),
    "least": (1, 20, _numeric(min)),
    "+": (2, 2, _numeric(lambda left, right: left + right)),
    "-": (2, 2, _numeric(lambda left, right: left - right)),
    "*": (2, 2, _numeric(lambda left, right: left * right)),
    "/": (2, 2, _numeric(lambda left, right: left / right)),
    "%": (2, 2, _numeric(math.fmod)),
    "^": (2, 2, _numeric(lambda left, right: float(left) ** float(right))),
    "ispresent": (1, 1, lambda value: value is not None),
    "isempty": (1, 1, lambda value: value is None or value == ""),
    "isblank": (1, 1, lambda value: value is None or text(value).strip() == ""),
    "coalesce": (1, 20, _coalesce),
    "concat": (1, 20, lambda *values: "".join(map(text, values))),
    "strlen": (1, 1, _textual(len)),
    "trim": (1, 2, _textual(lambda value, *of: value.strip(*of))),
    "ltrim": (1, 2, _textual(lambda value, *of: value.lstrip(*of))),
    "rtrim": (1, 2, _textual(lambda value, *of: value.rstrip(*of))),
    "toupper": (1, 1, _textual(str.upper)),
    "tolower": (1, 1, _textual(str.lower)),
    "substr": (2, 3, _textual(_substr)),
    "replace": (3, 3, _textual(lambda value, old, new: value.replace(old, new) if old else value)),
    "strcontains": (2, 2, _textual(lambda value, part: int(part in value))),
    "isvalidip": (1, 1, _textual(_address)),
    "isvalidipv4": (1, 1, _textual(lambda value: _address(value, 4))),
    "isvalidipv6": (1, 1, _textual(lambda value: _address(value, 6))),
    "isipinsubnet": (2, 2, _textual(_in_subnet)),
    "isipv4insubnet": (2, 2, _textual(lambda value, subnet: _in_subnet(value, subnet, 4))),
    "isipv6insubnet": (2, 2, _textual(lambda value, subnet: _in_subnet(value, subnet, 6))),
    "frommillis": (1, 1, _moment),
    "tomillis": (1, 1, lambda value: None if (found := _moment(value)) is None else int(found)),
}
"""By name: how many arguments at least, at most, and what it does."""


def equal(left: Any, right: Any) -> bool:  # noqa: ANN401
    """As numbers where both are, else as text."""
    if left is None or right is None:
        return left is right
    if isinstance(left, str) and isinstance(right, str) and left == right:
        return True
    first, second = number(left), number(right)
    if first is not None and second is not None:
        return first == second
    return text(left) == text(right)


def before(left: Any, right: Any) -> bool | None:  # noqa: ANN401
    """Whether one is less; None where one is missing."""
    if left is None or right is None:
        return None
    first, second = number(left), number(right)
    if first is not None and second is not None:
        return first < second
    return text(left) < text(right)


def rank(value: Any) -> tuple[int, Any]:  # noqa: ANN401
    """By which values are ordered: what is missing, numbers, text."""
    if value is None:
        return 0, 0
    found = number(value)
    return (1, found) if found is not None else (2, text(value))


def found_by(pattern: str) -> Callable[[str], bool]:
    """Whether an expression is found in a text."""
    search = re.compile(pattern).search
    return lambda value: search(value) is not None
