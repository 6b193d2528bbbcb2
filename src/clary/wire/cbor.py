"""Concise Binary Object Representation (RFC 8949), as much of it as Smithy's rpc-v2-cbor uses: integers of 64 bits,
strings, arrays and maps of either kind of length, floats, booleans, null, and tagged values."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

Item: TypeAlias = Any
"""A decoded item: int, float, str, bytes, bool, None, list, dict or Tagged."""

MOST_DEPTH = 64

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_INDEFINITE = 31
_BREAK = 0xFF
_SIZES = {24: 1, 25: 2, 26: 4, 27: 8}
_FLOATS = {25: struct.Struct(">e"), 26: struct.Struct(">f"), 27: struct.Struct(">d")}
_WORDS = {20: False, 21: True, 22: None, 23: None}
_DOUBLE = b"\xfb"


class BadCbor(ValueError):
    """Bytes that are no single well-formed item, or one that is nested too deeply."""


class Tagged(NamedTuple):
    """An item with a tag: 1 is a moment in seconds since 1970."""

    tag: int
    value: Item


def loads(data: bytes) -> Item:
    """The one item that the bytes are. Raises BadCbor."""
    decoder = _Decoder(data)
    item = decoder.item(0)
    if decoder.position != len(data):
        raise BadCbor("bytes follow the item")
    return item


def dumps(item: Item) -> bytes:
    """The item in its shortest form; floats have 64 bits. Raises TypeError for what CBOR has no form of here."""
    parts: list[bytes] = []
    _encode(item, parts.append)
    return b"".join(parts)


class _Decoder:
    """Reads from `position` on; no length that the bytes claim is believed before the bytes are there."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def item(self, depth: int) -> Item:
        if depth > MOST_DEPTH:
            raise BadCbor("nested too deeply")
        major, info = self._head()
        if major in (_ARRAY, _MAP):
            return self._many(major, info, depth + 1)
        if major == _TAG:
            return Tagged(self._number(info), self.item(depth + 1))
        return self._scalar(major, info)

    def _many(self, major: int, info: int, depth: int) -> Item:
        count = _Counting(self, None if info == _INDEFINITE else self._number(info))
        if major == _ARRAY:
            return [self.item(depth) for _ in count]
        return dict(self._pair(depth) for _ in count)

    def _scalar(self, major: int, info: int) -> Item:
        if major == _UNSIGNED:
            return self._number(info)
        if major == _NEGATIVE:
            return -1 - self._number(info)
        return self._simple(info) if major == _SIMPLE else self._string(major, info)

    def _head(self) -> tuple[int, int]:
        first = self._take(1)[0]
        return first >> 5, first & 0x1F

    def _take(self, size: int) -> bytes:
        end = self.position + size
        if end > len(self._data):
            raise BadCbor("the bytes end within an item")
        taken, self.position = self._data[self.position : end], end
        return taken

    def _number(self, info: int) -> int:
        if info < min(_SIZES):
            return info
        if info not in _SIZES:
            raise BadCbor(f"{info} is no length")
        return int.from_bytes(self._take(_SIZES[info]), "big")

    def broken(self) -> bool:
        """Whether an item of indefinite length ends here; steps over its end."""
        if self.position < len(self._data) and self._data[self.position] == _BREAK:
            self.position += 1
            return True
        return False

    def _string(self, major: int, info: int) -> bytes | str:
        if info != _INDEFINITE:
            return _string_of(major, self._take(self._number(info)))
        parts = bytearray()
        while not self.broken():
            part, length = self._head()
            if part != major or length == _INDEFINITE:
                raise BadCbor("a string's part is not of its kind")
            parts += self._take(self._number(length))
        return _string_of(major, bytes(parts))

    def _pair(self, depth: int) -> tuple[Item, Item]:
        key = self.item(depth)
        if isinstance(key, list | dict):
            raise BadCbor("a map's key is no scalar")
        return key, self.item(depth)

    def _simple(self, info: int) -> Item:
        if info in _WORDS:
            return _WORDS[info]
        if info in _FLOATS:
            return _FLOATS[info].unpack(self._take(_FLOATS[info].size))[0]
        raise BadCbor(f"{info} is no simple value")


class _Counting:
    """Turns of a loop over an item's parts: as many as were announced, or until the item ends."""

    def __init__(self, decoder: _Decoder, left: int | None) -> None:
        self._decoder = decoder
        self._left = left

    def __iter__(self) -> _Counting:
        return self

    def __next__(self) -> None:
        if self._left is None:
            if self._decoder.broken():
                raise StopIteration
        elif self._left == 0:
            raise StopIteration
        else:
            self._left -= 1


def _string_of(major: int, data: bytes) -> bytes | str:
    if major == _BYTES:
        return data
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise BadCbor("a text is not UTF-8") from None


def _encode(item: Item, put: Callable[[bytes], None]) -> None:
    encode = _ENCODERS.get(type(item))
    if encode is None:
        raise TypeError(f"{type(item).__name__} has no form in CBOR")
    encode(item, put)


def _start(major: int, number: int) -> bytes:
    if number < min(_SIZES):
        return bytes((major << 5 | number,))
    for info, size in _SIZES.items():
        if number < 1 << 8 * size:
            return bytes((major << 5 | info,)) + number.to_bytes(size, "big")
    raise TypeError(f"{number} has more than 64 bits")


def _encode_integer(item: int, put: Callable[[bytes], None]) -> None:
    put(_start(_UNSIGNED, item) if item >= 0 else _start(_NEGATIVE, -1 - item))


def _encode_bytes(item: bytes, put: Callable[[bytes], None]) -> None:
    put(_start(_BYTES, len(item)))
    put(item)


def _encode_text(item: str, put: Callable[[bytes], None]) -> None:
    data = item.encode()
    put(_start(_TEXT, len(data)))
    put(data)


def _encode_array(item: list[Item], put: Callable[[bytes], None]) -> None:
    put(_start(_ARRAY, len(item)))
    for part in item:
        _encode(part, put)


def _encode_map(item: dict[Item, Item], put: Callable[[bytes], None]) -> None:
    put(_start(_MAP, len(item)))
    for key, value in item.items():
        _encode(key, put)
        _encode(value, put)


def _encode_tagged(item: Tagged, put: Callable[[bytes], None]) -> None:
    put(_start(_TAG, item.tag))
    _encode(item.value, put)


_ENCODERS: dict[type, Callable[[Item, Callable[[bytes], None]], None]] = {
    int: _encode_integer,
    bytes: _encode_bytes,
    str: _encode_text,
    list: _encode_array,
    dict: _encode_map,
    Tagged: _encode_tagged,
    bool: lambda item, put: put(b"\xf5" if item else b"\xf4"),
    float: lambda item, put: put(_DOUBLE + _FLOATS[27].pack(item)),
    type(None): lambda _, put: put(b"\xf6"),
}
