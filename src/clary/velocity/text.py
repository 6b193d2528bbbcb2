"""Values as text, as Java writes them: `{a=1, b=[2, 3]}`, `true`, `1.0E10`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from clary.velocity.limits import Budget


def as_text(value: Any, budget: Budget) -> str:  # noqa: ANN401 — a value of JSON
    """What a reference to the value renders. Raises TooMuch."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        return budget.sized(_joined(value, budget))
    return scalar_text(value)


def scalar_text(value: Any) -> str:  # noqa: ANN401 — as above
    """A number, a truth value or nothing."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _float_text(value) if isinstance(value, float) else str(value)


def _float_text(value: float) -> str:
    """Double.toString: an exponent from 10⁷ on and below 10⁻³."""
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    digits, _, exponent = f"{value!r}".partition("e")
    if not exponent:
        digits, _, exponent = f"{value:.16e}".partition("e")
        digits = digits.rstrip("0")
    return f"{digits}{'' if '.' in digits else '.0'}{'0' if digits.endswith('.') else ''}E{int(exponent)}"


def _joined(value: Any, budget: Budget) -> str:  # noqa: ANN401 — as above
    parts: list[str] = []
    length = 0
    for part in _parts(value, budget, 0):
        parts.append(part)
        length += len(part)
        budget.room_for(length)
    return "".join(parts)


def _parts(value: Any, budget: Budget, depth: int) -> Iterator[str]:  # noqa: ANN401 — as above
    budget.spend()
    budget.deeper(depth)
    if isinstance(value, dict):
        yield from _map_parts(value, budget, depth)
    elif isinstance(value, list):
        yield "["
        for index, item in enumerate(value):
            yield ", " if index else ""
            yield from _parts(item, budget, depth + 1)
        yield "]"
    else:
        yield value if isinstance(value, str) else scalar_text(value)


def _map_parts(value: dict[str, Any], budget: Budget, depth: int) -> Iterator[str]:
    yield "{"
    for index, (key, item) in enumerate(value.items()):
        yield f"{', ' if index else ''}{key}="
        yield from _parts(item, budget, depth + 1)
    yield "}"
