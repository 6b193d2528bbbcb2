"""Values as CBOR, by their shapes: the bodies of rpc-v2-cbor."""

from __future__ import annotations

from clary.wire import cbor, timestamps
from clary.wire.cbor import Tagged
from clary.wire.models import Shape
from clary.wire.notation import Notation
from clary.wire.values import Mismatch, Value

_EPOCH = 1
"""The tag of a moment in seconds since 1970."""

_KINDS = {
    str: "text string",
    bytes: "byte string",
    bool: "boolean",
    int: "integer",
    float: "floating-point number",
    Tagged: "tagged value",
}


def loads(body: bytes) -> Value:
    """One item. Raises Mismatch where the bytes are none."""
    try:
        return cbor.loads(body)
    except cbor.BadCbor as error:
        raise Mismatch(f"The request body is not valid CBOR: {error}.") from None


def dumps(value: Value) -> bytes:
    """The item's bytes."""
    return cbor.dumps(value)


def read(shape: Shape, value: Value) -> Value:
    """CBOR's value as the shape's. Raises Mismatch."""
    return _CBOR.read(shape, value)


def write(shape: Shape, value: Value) -> Value:
    """The inverse of `read`: what CBOR can hold."""
    return _CBOR.write(shape, value)


def _read_float(_: Shape, value: Value) -> float:
    if type(value) not in (int, float):
        raise _CBOR.wrong(value, "a Double")
    return float(value)


def _read_blob(_: Shape, value: Value) -> bytes:
    if type(value) is not bytes:
        raise _CBOR.wrong(value, "a Blob")
    return value


def _read_timestamp(_: Shape, value: Value) -> Value:
    """Clients tag a moment; a bare number is taken as well."""
    moment = value.value if isinstance(value, Tagged) and value.tag == _EPOCH else value
    if type(moment) not in (int, float):
        raise _CBOR.wrong(value, "a Timestamp")
    try:
        return timestamps.parse(moment)
    except ValueError:
        raise Mismatch(f"{_KINDS[type(moment)]} can not be converted to a Timestamp") from None


def _write_timestamp(_: Shape, value: Value) -> Value:
    return Tagged(_EPOCH, timestamps.seconds(value))


def _write_blob(_: Shape, value: Value) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def _write_float(_: Shape, value: Value) -> float:
    return float(value)


_CBOR = Notation(
    readers={"float": _read_float, "double": _read_float, "blob": _read_blob, "timestamp": _read_timestamp},
    writers={"float": _write_float, "double": _write_float, "blob": _write_blob, "timestamp": _write_timestamp},
    kinds=_KINDS,
)
