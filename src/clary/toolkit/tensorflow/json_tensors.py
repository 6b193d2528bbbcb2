"""Tensors as JSON, in TensorFlow Serving's way and with its error texts
(https://github.com/tensorflow/serving/blob/master/tensorflow_serving/util/json_tensor.cc)."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Dict, FrozenSet, List, Sequence, Tuple

import numpy as np

Json = Any
"""What JSON holds: dicts, lists, texts, numbers, booleans, None."""
Array = Any

_NAMES: Dict[str, str] = {"float16": "half", "float32": "float", "float64": "double", "object": "string"}
"""numpy's name of a type → TensorFlow Serving's."""
_FLOATS: Dict[str, int] = {"float16": 11, "float32": 24, "float64": 53}
"""Type → the bits of its mantissa: larger whole numbers would lose digits."""
_TYPES = {
    bool: "True",
    dict: "Object",
    list: "Array",
    str: "String",
    int: "Number",
    float: "Number",
    type(None): "Null",
}


class Invalid(Exception):
    """A request that TensorFlow Serving does not take; the text is its own."""


def parse(body: str) -> Dict[str, Json]:
    """A request's JSON object. Raises Invalid."""
    if not body:
        raise Invalid("JSON Parse error: The document is empty")
    try:
        found = json.loads(body)
    except json.JSONDecodeError as error:
        raise Invalid(f"JSON Parse error: {_said(error.msg)} at offset: {error.pos}") from error
    except RecursionError:
        raise Invalid("JSON Parse error: Terminate parsing due to Handler error. at offset: 0") from None
    if not isinstance(found, dict):
        raise Invalid(f"JSON Value: {shown(found)} Is not object")
    return found


def _said(message: str) -> str:
    """The parser's word for it; both report the same faults by other texts."""
    for python, serving in (
        ("Expecting value", "Invalid value."),
        ("Extra data", "The document root must not be followed by other values."),
        ("Expecting property name", "Missing a name for object member."),
        ("Expecting ':' delimiter", "Missing a colon after a name of object member."),
        ("Expecting ',' delimiter", "Missing a comma or ] after an array element."),
        ("Unterminated string", "Missing a closing quotation mark in string."),
    ):
        if message.startswith(python):
            return serving
    return f"{message}."


def shown(value: Json) -> str:
    """A JSON value in an error's text."""
    return json.dumps(value, indent=4, ensure_ascii=False)


def is_base64(value: Json) -> bool:
    """Whether it is `{"b64": "…"}`: bytes."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def decode_base64(value: Json) -> bytes:
    """The bytes of `{"b64": "…"}`. Raises Invalid."""
    if not is_base64(value):
        raise Invalid(f"JSON Value: {shown(value)} not formatted correctly for base64 data")
    text = value["b64"].replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise Invalid("Unable to base64 decode") from None


def to_tensor(value: Json, dtype: str) -> Array:
    """Nested lists, or a scalar, as an array of that type (`object` holds bytes). Raises Invalid."""
    shape = _shape(value)
    flat: List[Json] = []
    _flatten(value, 0, shape, dtype, flat)
    if dtype == "object":
        return np.array(flat, dtype=object).reshape(shape)
    try:
        return np.array(flat, dtype=np.dtype(dtype)).reshape(shape)
    except OverflowError:
        raise Invalid(f"JSON Value is not of expected type: {_NAMES.get(dtype, dtype)}") from None


def _shape(value: Json) -> Tuple[int, ...]:
    """As the first element of each level has it."""
    found: List[int] = []
    while isinstance(value, list):
        found.append(len(value))
        if not value:
            break
        value = value[0]
    return tuple(found)


def _flatten(value: Json, level: int, shape: Tuple[int, ...], dtype: str, into: List[Json]) -> None:
    if not isinstance(value, list):
        if level != len(shape):
            raise Invalid(
                f"JSON Value: {shown(value)} found at incorrect level: {level + 1}"
                f" in the JSON DOM. Expected at level: {len(shape)}"
            )
        into.extend(_leaves([value], dtype))
        return
    if level >= len(shape):
        raise Invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise Invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: {shape[level]}"
        )
    if level == len(shape) - 1 and not any(isinstance(item, list) for item in value):
        into.extend(_leaves(value, dtype))
        return
    for item in value:
        _flatten(item, level + 1, shape, dtype, into)


_NUMBERS: FrozenSet[type] = frozenset({int, float})


def _leaves(values: Sequence[Json], dtype: str) -> Sequence[Json]:
    """Values of one innermost list, checked together: their types are few, they may be many."""
    types = frozenset(map(type, values))
    if dtype == "object":
        return [_text(value) for value in values]
    if dtype in _FLOATS:
        _check(values, types, _NUMBERS, dtype)
        _check_precision(values, types, dtype)
    elif dtype == "bool":
        _check(values, types, frozenset({bool}), dtype)
    elif dtype.startswith(("int", "uint")):
        _check(values, types, frozenset({int}), dtype)
        _check_range(values, dtype)
    else:
        raise Invalid(f"Conversion of JSON Value: {shown(values[0])} to type: {dtype}")
    return values


def _text(value: Json) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, dict):
        return decode_base64(value)
    raise _wrong_type(value, "object")


def _check(values: Sequence[Json], types: FrozenSet[type], allowed: FrozenSet[type], dtype: str) -> None:
    if not types <= allowed:
        raise _wrong_type(next(value for value in values if type(value) not in allowed), dtype)


def _check_precision(values: Sequence[Json], types: FrozenSet[type], dtype: str) -> None:
    largest = float(np.finfo(np.dtype(dtype)).max)
    whole = 2 ** _FLOATS[dtype] - 1
    limit = whole if int in types else largest
    with np.errstate(invalid="ignore"):
        sizes = np.abs(np.array(values, dtype=np.float64))
    for place in np.flatnonzero(np.isfinite(sizes) & (sizes > limit)).tolist():
        value = values[place]
        if abs(value) > (whole if type(value) is int else largest):
            raise Invalid(f"Cannot convert JSON value: {shown(value)} to {_NAMES[dtype]} without loss of precision.")


def _check_range(values: Sequence[Json], dtype: str) -> None:
    limits = np.iinfo(np.dtype(dtype))
    for value in (min(values), max(values)) if values else ():
        if not limits.min <= value <= limits.max:
            raise _wrong_type(value, dtype)


def _wrong_type(value: Json, dtype: str) -> Invalid:
    wanted = _NAMES.get(dtype, dtype)
    return Invalid(f"JSON Value: {shown(value)} Type: {type_name(value)} is not of expected type: {wanted}")


def type_name(value: Json) -> str:
    """A JSON value's type in an error's text."""
    return "False" if value is False else _TYPES[type(value)]


def tokens(name: str, array: Array) -> Json:
    """An output as nested lists of JSON's own words. Texts whose tensor is called `…_bytes` become `{"b64": "…"}`.

    Raises Invalid for a type that JSON has no form for.
    """
    kind = array.dtype.kind
    if kind in "fV" and array.dtype.itemsize <= 4:
        written = _numbers(array.astype(np.float32).reshape(-1), 9)
    elif kind == "f":
        written = _numbers(array.reshape(-1), 17)
    elif kind in "iu":
        written = [str(value) for value in array.reshape(-1).tolist()]
    elif kind == "b":
        written = ["true" if value else "false" for value in array.reshape(-1).tolist()]
    elif kind in "OS":
        written = _texts(array.reshape(-1).tolist(), name.endswith("_bytes"))
    else:
        raise Invalid(f"Failed to write JSON value for tensor type: {array.dtype}")
    nested = np.empty(len(written), dtype=object)
    nested[:] = written
    return nested.reshape(array.shape).tolist()


def _numbers(flat: Array, digits: int) -> List[str]:
    """Six digits where they are exact, else all that the type has."""
    values = flat.tolist()
    short = [f"{value:g}" for value in values]
    exact = (np.array([float(text) for text in short], dtype=flat.dtype) == flat).tolist()
    together = zip(values, short, exact)  # noqa: B905 - Python 3.8
    return [_decimal(text if same else f"{value:.{digits}g}") for value, text, same in together]


def _decimal(text: str) -> str:
    special = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(text)
    if special:
        return special
    return text if "." in text or "e" in text else text + ".0"


def _texts(values: Sequence[Any], binary: bool) -> List[str]:
    raw = [value if isinstance(value, bytes) else str(value).encode() for value in values]
    if binary:
        return [f'{{"b64": "{base64.b64encode(value).decode()}"}}' for value in raw]
    return [quoted(value.decode("utf-8", "replace")) for value in raw]


def quoted(text: str) -> str:
    """A text as JSON."""
    return json.dumps(text, ensure_ascii=False)


def on_one_line(value: Json) -> str:
    """Nested lists of words as JSON without line ends."""
    if isinstance(value, list):
        return "[" + ", ".join(on_one_line(item) for item in value) + "]"
    return str(value)


def on_lines(value: Json, indent: int) -> str:
    """Nested lists of words as JSON, every word on a line; `indent` in spaces."""
    if not isinstance(value, list):
        return str(value)
    if not value:
        return "[]"
    inner = " " * (indent + 4)
    lines = ",\n".join(inner + on_lines(item, indent + 4) for item in value)
    return f"[\n{lines}\n{' ' * indent}]"
