"""Values as JSON, by their shapes: the bodies of the json and rest-json protocols."""

from __future__ import annotations

import base64
import binascii
import json

from clary.wire import timestamps
from clary.wire.models import Shape
from clary.wire.notation import Notation
from clary.wire.values import SPECIAL_FLOATS, Mismatch, Value, special_float

_COMPACT = json.JSONEncoder(separators=(",", ":"))
_TOKENS = {str: "STRING_VALUE", bool: "TRUE_VALUE", int: "NUMBER_VALUE", float: "DECIMAL_VALUE"}


def loads(body: bytes) -> Value:
    """A JSON text. Raises Mismatch where it is none (bad UTF-8 and endless nesting too)."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Mismatch("The request body is not valid JSON.") from None


def dumps(value: Value) -> bytes:
    """Compact JSON in UTF-8."""
    return _COMPACT.encode(value).encode()


def read(shape: Shape, value: Value) -> Value:
    """JSON's value as the shape's: blobs are base64. Raises Mismatch."""
    return _JSON.read(shape, value)


def write(shape: Shape, value: Value) -> Value:
    """The inverse of `read`: what JSON can hold."""
    return _JSON.write(shape, value)


def _read_float(_: Shape, value: Value) -> float:
    if type(value) is str and value in SPECIAL_FLOATS:
        return SPECIAL_FLOATS[value]
    if type(value) not in (int, float):
        raise _JSON.wrong(value, "a Double")
    try:
        return float(value)
    except OverflowError:
        raise Mismatch("NUMBER_VALUE can not be converted to a Double") from None


def _read_blob(_: Shape, value: Value) -> bytes:
    if type(value) is not str:
        raise _JSON.wrong(value, "a Blob")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise Mismatch("STRING_VALUE can not be converted to a Blob") from None


def _read_timestamp(_: Shape, value: Value) -> Value:
    if type(value) not in (int, float, str):
        raise _JSON.wrong(value, "a Timestamp")
    try:
        return timestamps.parse(value)
    except ValueError:
        raise Mismatch(f"{_TOKENS[type(value)]} can not be converted to a Timestamp") from None


def _write_timestamp(shape: Shape, value: Value) -> Value:
    form = shape.serialization.get("timestampFormat", "unixtimestamp")
    return timestamps.seconds(value) if form == "unixtimestamp" else timestamps.render(value, form)


def _write_blob(_: Shape, value: Value) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def _write_float(_: Shape, value: Value) -> Value:
    return special_float(value)


_JSON = Notation(
    readers={"float": _read_float, "double": _read_float, "blob": _read_blob, "timestamp": _read_timestamp},
    writers={"float": _write_float, "double": _write_float, "blob": _write_blob, "timestamp": _write_timestamp},
    kinds=_TOKENS,
)
