"""What the wire is made of: parsed values, and how a value that does not fit its shape is refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

from clary.wire import timestamps
from clary.wire.models import Shape
from clary.wire.timestamps import TimestampFormat

Value: TypeAlias = Any
"""A parsed value: dict, list, str, int, float, bool, bytes, datetime or None, as its shape says."""

Params: TypeAlias = dict[str, Any]

_BOUNDS = {"integer": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}
SPECIAL_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class Mismatch(Exception):
    """A value that cannot be what its shape says; each protocol answers with its own code."""


def wire_name(shape: Shape, default: str) -> str:
    """The member's name on the wire, where the model gives another than its own."""
    name: str = shape.serialization.get("name", default)
    return name


def integer(shape: Shape, value: float) -> int:
    """A whole number within the bounds of the shape's type. Raises Mismatch."""
    if not math.isfinite(value):
        raise Mismatch(f"{value} can not be converted to an Integer")
    number = int(value)
    lowest, highest = _BOUNDS.get(shape.type_name, _BOUNDS["long"])
    if not lowest <= number <= highest:
        raise Mismatch(f"{number} can not be converted to {'an Integer' if shape.type_name == 'integer' else 'a Long'}")
    return number


def from_text(shape: Shape, text: str) -> Value:
    """A scalar that travels as text (XML, query, header, path). Raises Mismatch."""
    kind = shape.type_name
    if kind in ("string", "character"):
        return text
    try:
        if kind == "boolean":
            return _boolean(text)
        if kind in ("integer", "long"):
            return integer(shape, int(text))
        if kind in ("float", "double"):
            return SPECIAL_FLOATS[text] if text in SPECIAL_FLOATS else float(text)
        if kind == "timestamp":
            return timestamps.parse(text)
    except ValueError:
        raise Mismatch(f"{text!r} can not be converted to {kind}") from None
    raise Mismatch(f"a {kind} can not stand here")


def to_text(shape: Shape, value: Value, form: TimestampFormat = "iso8601", *, milliseconds: bool = False) -> str:
    """The inverse of `from_text`."""
    kind = shape.type_name
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "timestamp":
        return timestamps.render(value, shape.serialization.get("timestampFormat", form), milliseconds=milliseconds)
    if kind in ("float", "double"):
        return float_text(value)
    return str(value)


def float_text(value: float) -> str:
    """A float as text, with the three names for what is no number."""
    special = special_float(value)
    return special if isinstance(special, str) else repr(value)


def special_float(value: float) -> float | str:
    """The float itself, or its name where JSON has no number for it."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def is_streaming(shape: Shape | None) -> bool:
    """Whether the shape's payload is streamed by AWS's own word (`streaming: true`): S3's bodies."""
    payload = payload_of(shape)
    return bool(payload and payload[1].serialization.get("streaming"))


def payload_of(shape: Shape | None) -> tuple[str, Shape] | None:
    """The member that is the whole body, and its shape."""
    name = shape.serialization.get("payload") if shape is not None else None
    return (name, shape.members[name]) if shape is not None and name else None


def present(params: Mapping[str, Value]) -> list[tuple[str, Value]]:
    """The members that are there: None means absent, everywhere."""
    return [(name, value) for name, value in params.items() if value is not None]


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"
