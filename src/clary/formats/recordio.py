"""RecordIO-protobuf, the format of SageMaker's own algorithms
(https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html).

A file is a row of frames: magic number, length and continuation flag, payload, padding to four bytes. A payload is a
protobuf message `Record` with maps `features` and `label` from names to tensors. No protobuf library is needed here.
"""

from __future__ import annotations

import struct
import sys
from array import array
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

_MAGIC = 0xCED7230A
_HEADER = struct.Struct("<II")
_LENGTH = (1 << 29) - 1
_WHOLE, _FIRST, _MIDDLE, _LAST = 0, 1, 2, 3
_TENSOR_FLOAT32, _TENSOR_FLOAT64, _TENSOR_INT32 = 2, 3, 7
_CODES = {_TENSOR_FLOAT32: "f", _TENSOR_FLOAT64: "d", _TENSOR_INT32: "i"}
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

Numbers = Union["array[float]", "array[int]"]


class Tensor(NamedTuple):
    """`keys` stand only in sparse tensors: the column of each value; `shape` may be empty for dense vectors."""

    values: Sequence[float]
    keys: Sequence[int] = ()
    shape: Sequence[int] = ()


class Record(NamedTuple):
    """One example: named tensors (nearly always one named `values` on each side)."""

    features: Dict[str, Tensor]
    label: Dict[str, Tensor]


def read(data: bytes) -> Iterator[Record]:
    """Every record of a file or request. Raises ValueError where the bytes are no RecordIO-protobuf."""
    for payload in read_frames(data):
        yield parse_record(payload)


def read_frames(data: bytes) -> Iterator[bytes]:
    """Payloads; those split over several frames are joined."""
    position, parts = 0, []
    while position < len(data):
        if position + _HEADER.size > len(data):
            raise ValueError("RecordIO: the last frame is cut off")
        magic, word = _HEADER.unpack_from(data, position)
        if magic != _MAGIC:
            raise ValueError("RecordIO: wrong magic number")
        length, flag = word & _LENGTH, word >> 29
        start = position + _HEADER.size
        if start + length > len(data):
            raise ValueError("RecordIO: the last frame is cut off")
        parts.append(data[start : start + length])
        position = start + (length + 3) // 4 * 4
        if flag in (_WHOLE, _LAST):
            yield b"".join(parts)
            parts = []
    if parts:
        raise ValueError("RecordIO: the last record is cut off")


class Span(NamedTuple):
    """Where a record's numbers lie in its frame: bytes from `start`, `size` long; `code` is array's (`f`, `d`, `i`)."""

    start: int
    size: int
    code: str


class RecordLayout(NamedTuple):
    """The frame of a dense record: `stride` bytes with header and padding."""

    stride: int
    features: Span
    label: Optional[Span]


def layout_of_first(data: bytes) -> Optional[RecordLayout]:
    """How the first record lies in its frame; None where it is not one whole dense record.

    Raises ValueError where the bytes are no RecordIO-protobuf.
    """
    if len(data) < _HEADER.size:
        return None
    magic, word = _HEADER.unpack_from(data, 0)
    length = word & _LENGTH
    if magic != _MAGIC or word >> 29 != _WHOLE or _HEADER.size + length > len(data):
        return None
    found: Dict[int, Span] = {}
    for number, start, size in _places(data, _HEADER.size, length):
        span = _span(data, start, size) if number in (1, 2) and number not in found else None
        if span is None:
            return None
        found[number] = span
    if 1 not in found:
        return None
    return RecordLayout(_HEADER.size + (length + 3) // 4 * 4, found[1], found.get(2))


def _span(data: bytes, start: int, size: int) -> Optional[Span]:
    """The numbers of a map's entry, where its tensor has nothing but packed numbers."""
    value = _only(_places(data, start, size), 2)
    tensor = list(_places(data, *value)) if value else []
    if len(tensor) != 1 or tensor[0][0] not in _CODES:
        return None
    number, start, size = tensor[0]
    fields = list(_places(data, start, size))
    if len(fields) != 1 or fields[0][0] != 1:
        return None
    return Span(fields[0][1], fields[0][2], _CODES[number])


def _only(places: Iterable[Tuple[int, int, int]], number: int) -> Optional[Tuple[int, int]]:
    found = [(start, size) for field, start, size in places if field == number]
    return found[0] if len(found) == 1 else None


def _places(data: bytes, start: int, size: int) -> Iterator[Tuple[int, int, int]]:
    """Number, start and size of each field of a message that has only fields with a length."""
    position, end = start, start + size
    while position < end:
        tag, position = _varint(data, position)
        if tag & 7 != _BYTES:
            yield -1, position, 0
            return
        length, position = _varint(data, position)
        if position + length > end:
            raise ValueError("RecordIO: a record is no protobuf message")
        yield tag >> 3, position, length
        position += length


def write_frame(payload: bytes) -> bytes:
    """One frame around a payload. Raises ValueError beyond 512 MiB."""
    if len(payload) > _LENGTH:
        raise ValueError("RecordIO: a record is larger than a frame can hold")
    padding = b"\0" * (-len(payload) % 4)
    return _HEADER.pack(_MAGIC, len(payload)) + payload + padding


def write(records: Iterable[Record]) -> bytes:
    """Records as a file. Tensors are written as float32."""
    return b"".join(write_frame(_record(record)) for record in records)


def parse_record(payload: bytes) -> Record:
    """A `Record` message. Raises ValueError."""
    features: Dict[str, Tensor] = {}
    label: Dict[str, Tensor] = {}
    for number, value in _fields(payload):
        if number in (1, 2) and isinstance(value, bytes):
            name, tensor = _entry(value)
            (features if number == 1 else label)[name] = tensor
    return Record(features, label)


def _entry(data: bytes) -> Tuple[str, Tensor]:
    name, tensor = "", Tensor(())
    for number, value in _fields(data):
        if number == 1 and isinstance(value, bytes):
            name = value.decode("utf-8", "replace")
        elif number == 2 and isinstance(value, bytes):
            tensor = _value(value)
    return name, tensor


def _value(data: bytes) -> Tensor:
    for number, value in _fields(data):
        if number in _CODES and isinstance(value, bytes):
            return _tensor(value, _CODES[number])
    raise ValueError("RecordIO: a value that is no numeric tensor")


def _tensor(data: bytes, code: str) -> Tensor:
    values: List[float] = []
    keys: List[int] = []
    shape: List[int] = []
    for number, value in _fields(data):
        if number == 1:
            values.extend(_numbers(value, code))
        elif number == 2:
            keys.extend(_varints(value))
        elif number == 3:
            shape.extend(_varints(value))
    return Tensor(values, keys, shape)


def _numbers(value: Union[int, bytes], code: str) -> Sequence[float]:
    if code == "i":
        return [number - (1 << 64) if number >= 1 << 63 else number for number in _varints(value)]
    if isinstance(value, int):
        raise ValueError("RecordIO: a number of another kind than its tensor")  # noqa: TRY004 - a fault of the data
    numbers = array(code)
    numbers.frombytes(value)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _varints(value: Union[int, bytes]) -> List[int]:
    if isinstance(value, int):
        return [value]
    numbers, position = [], 0
    while position < len(value):
        number, position = _varint(value, position)
        numbers.append(number)
    return numbers


def _fields(data: bytes) -> Iterator[Tuple[int, Union[int, bytes]]]:
    """Number and raw value of each field; fixed-size numbers come as their bytes."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, position = _varint(data, position)
            yield number, value
            continue
        if kind == _BYTES:
            size, position = _varint(data, position)
        else:
            size = {_FIXED32: 4, _FIXED64: 8}.get(kind, -1)
        if size < 0 or position + size > len(data):
            raise ValueError("RecordIO: a record is no protobuf message")
        yield number, data[position : position + size]
        position += size


def _varint(data: bytes, position: int) -> Tuple[int, int]:
    number, shift = 0, 0
    while position < len(data) and shift < 70:
        byte = data[position]
        number |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            return number, position
        shift += 7
    raise ValueError("RecordIO: a record is no protobuf message")


def _record(record: Record) -> bytes:
    parts = []
    for number, tensors in ((1, record.features), (2, record.label)):
        for name, tensor in tensors.items():
            value = _field(_TENSOR_FLOAT32, _float_tensor(tensor))
            parts.append(_field(number, _field(1, name.encode()) + _field(2, value)))
    return b"".join(parts)


def _float_tensor(tensor: Tensor) -> bytes:
    values = array("f", tensor.values)
    if sys.byteorder == "big":
        values.byteswap()
    return _field(1, values.tobytes()) + _packed(2, tensor.keys) + _packed(3, tensor.shape)


def _packed(number: int, values: Sequence[int]) -> bytes:
    return _field(number, b"".join(_encoded(value) for value in values)) if values else b""


def _field(number: int, data: bytes) -> bytes:
    return _encoded(number << 3 | _BYTES) + _encoded(len(data)) + data


def _encoded(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def values_of(tensors: Dict[str, Tensor]) -> Optional[Tensor]:
    """The tensor named `values`, or the only one there is."""
    if "values" in tensors:
        return tensors["values"]
    return next(iter(tensors.values())) if len(tensors) == 1 else None
