"""Values as JSON, by their shapes: the bodies of the json and rest-json protocols."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable

from clary.wire import timestamps
from clary.wire.models import Shape
from clary.wire.values import SPECIAL_FLOATS, Mismatch, Params, Value, integer, special_float

_TOKENS = {str: "STRING_VALUE", bool: "TRUE_VALUE", int: "NUMBER_VALUE", float: "DECIMAL_VALUE"}


def loads(body: bytes) -> Value:
    """A JSON text. Raises Mismatch where it is none (bad UTF-8 and endless nesting too)."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Mismatch("The request body is not valid JSON.") from None


def dumps(value: Value) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(value, separators=(",", ":")).encode()


def read(shape: Shape, value: Value) -> Value:
    """JSON's value as the shape's: timestamps become datetimes, base64 bytes; unknown members fall away.

    Raises Mismatch. A null within a list or map stays None, for the validation to name its place.
    """
    return _READERS[shape.type_name](shape, value)


def write(shape: Shape, value: Value) -> Value:
    """The inverse of `read`: what JSON can hold. Members that are None or not in the model are left out."""
    return _WRITERS[shape.type_name](shape, value)


def _wrong(value: Value, wanted: str) -> Mismatch:
    if isinstance(value, dict):
        return Mismatch("Start of structure or map found where not expected.")
    if isinstance(value, list):
        return Mismatch("Start of list found where not expected")
    return Mismatch(f"{_TOKENS.get(type(value), 'NULL_VALUE')} can not be converted to {wanted}")


def _read_structure(shape: Shape, value: Value) -> Value:
    if shape.is_document_type:
        return value
    if type(value) is not dict:
        raise _wrong(value, "a Structure")
    result: Params = {}
    for name, member in shape.members.items():
        found = value.get(member.serialization.get("name", name))
        if found is not None:
            result[name] = _READERS[member.type_name](member, found)
    return result


def _read_list(shape: Shape, value: Value) -> Value:
    if type(value) is not list:
        raise _wrong(value, "a List")
    member = shape.member
    reader = _READERS[member.type_name]
    return [None if item is None else reader(member, item) for item in value]


def _read_map(shape: Shape, value: Value) -> Value:
    if type(value) is not dict:
        raise _wrong(value, "a Map")
    member = shape.value
    reader = _READERS[member.type_name]
    return {_read_string(shape.key, key): None if item is None else reader(member, item) for key, item in value.items()}


def _read_string(_: Shape, value: Value) -> str:
    if type(value) is not str:
        raise _wrong(value, "a String")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Mismatch("A string holds half of a surrogate pair.") from None
    return value


def _read_boolean(_: Shape, value: Value) -> bool:
    if type(value) is not bool:
        raise _wrong(value, "a Boolean")
    return value


def _read_integer(shape: Shape, value: Value) -> int:
    if type(value) not in (int, float):
        raise _wrong(value, "an Integer" if shape.type_name == "integer" else "a Long")
    return integer(shape, value)


def _read_float(_: Shape, value: Value) -> float:
    if type(value) is str and value in SPECIAL_FLOATS:
        return SPECIAL_FLOATS[value]
    if type(value) not in (int, float):
        raise _wrong(value, "a Double")
    try:
        return float(value)
    except OverflowError:
        raise Mismatch("NUMBER_VALUE can not be converted to a Double") from None


def _read_blob(_: Shape, value: Value) -> bytes:
    if type(value) is not str:
        raise _wrong(value, "a Blob")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise Mismatch("STRING_VALUE can not be converted to a Blob") from None


def _read_timestamp(_: Shape, value: Value) -> Value:
    if type(value) not in (int, float, str):
        raise _wrong(value, "a Timestamp")
    try:
        return timestamps.parse(value)
    except ValueError:
        raise Mismatch(f"{_TOKENS[type(value)]} can not be converted to a Timestamp") from None


def _write_structure(shape: Shape, value: Value) -> Value:
    if shape.is_document_type:
        return value
    members, result = shape.members, {}
    for name, item in value.items():
        member = members.get(name)
        if member is not None and item is not None:
            result[member.serialization.get("name", name)] = _WRITERS[member.type_name](member, item)
    return result


def _write_list(shape: Shape, value: Value) -> Value:
    member = shape.member
    writer = _WRITERS[member.type_name]
    return [writer(member, item) for item in value]


def _write_map(shape: Shape, value: Value) -> Value:
    member = shape.value
    writer = _WRITERS[member.type_name]
    return {key: writer(member, item) for key, item in value.items()}


def _write_timestamp(shape: Shape, value: Value) -> Value:
    form = shape.serialization.get("timestampFormat", "unixtimestamp")
    return timestamps.seconds(value) if form == "unixtimestamp" else timestamps.render(value, form)


def _write_blob(_: Shape, value: Value) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def _write_float(_: Shape, value: Value) -> Value:
    return special_float(value)


def _as_is(_: Shape, value: Value) -> Value:
    return value


_READERS: dict[str, Callable[[Shape, Value], Value]] = {
    "structure": _read_structure,
    "list": _read_list,
    "map": _read_map,
    "string": _read_string,
    "character": _read_string,
    "boolean": _read_boolean,
    "integer": _read_integer,
    "long": _read_integer,
    "float": _read_float,
    "double": _read_float,
    "blob": _read_blob,
    "timestamp": _read_timestamp,
}

_WRITERS: dict[str, Callable[[Shape, Value], Value]] = {
    "structure": _write_structure,
    "list": _write_list,
    "map": _write_map,
    "timestamp": _write_timestamp,
    "blob": _write_blob,
    "float": _write_float,
    "double": _write_float,
    **dict.fromkeys(("string", "character", "boolean", "integer", "long"), _as_is),
}
