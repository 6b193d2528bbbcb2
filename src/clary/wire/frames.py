"""Messages between Clary's own processes: a length of four bytes, then MessagePack.

A message is made of dicts, lists, strings, numbers, booleans, None, bytes and datetimes (which must carry a time zone,
and come out in UTC). Both ends trust each other; a frame that is too long or torn still never does more than
end its connection.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator
from typing import Any, TypeAlias

import msgpack

MAX_FRAME = 64 * 2**20
"""Longest message in bytes. What is longer belongs in a file."""

Message: TypeAlias = Any
"""What a frame carries: see above."""

_LENGTH = struct.Struct(">I")


class BadFrame(Exception):
    """The other end sent something that is no frame, or a frame that is too long."""


def pack(message: Message, limit: int = MAX_FRAME) -> bytes:
    """The message as one frame. Raises BadFrame where it is longer than `limit` or holds what a frame cannot."""
    try:
        body: bytes = msgpack.packb(message, datetime=True, use_bin_type=True)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadFrame(f"cannot be packed: {error}") from error
    if len(body) > limit:
        raise BadFrame(f"a frame of {len(body)} bytes; at most {limit} are allowed")
    return _LENGTH.pack(len(body)) + body


def unpack(body: bytes) -> Message:
    """The message of a frame's body (without its length). Raises BadFrame where the bytes are no message."""
    try:
        return msgpack.unpackb(body, timestamp=3, raw=False, strict_map_key=False)
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise BadFrame(f"not a message: {error}") from error


def _length(head: bytes, limit: int) -> int:
    length: int = _LENGTH.unpack(head)[0]
    if length > limit:
        raise BadFrame(f"a frame of {length} bytes; at most {limit} are allowed")
    return length


class Frames:
    """The messages of a connection, out of its bytes as they come."""

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self._limit = limit
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Those that are complete by now. Raises BadFrame; nothing after it can be understood."""
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            end = _LENGTH.size + _length(bytes(self._buffer[: _LENGTH.size]), self._limit)
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield unpack(body)


async def read(reader: asyncio.StreamReader, limit: int = MAX_FRAME) -> Message:
    """The next message. Raises EOFError where the connection ended between frames, BadFrame where it ended within."""
    try:
        head = await reader.readexactly(_LENGTH.size)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise BadFrame("the connection ended within a frame") from error
        raise EOFError("the connection ended") from error
    try:
        return unpack(await reader.readexactly(_length(head, limit)))
    except asyncio.IncompleteReadError as error:
        raise BadFrame("the connection ended within a frame") from error


async def write(writer: asyncio.StreamWriter, message: Message, limit: int = MAX_FRAME) -> None:
    """Send a message and wait until the connection's buffer has room again."""
    writer.write(pack(message, limit))
    await writer.drain()


def receive(connection: socket.socket, limit: int = MAX_FRAME) -> Message:
    """`read` for a blocking socket; a time limit set on the socket raises TimeoutError."""
    head = _receive_exactly(connection, _LENGTH.size, started=False)
    return unpack(_receive_exactly(connection, _length(head, limit), started=True))


def send(connection: socket.socket, message: Message, limit: int = MAX_FRAME) -> None:
    """`write` for a blocking socket."""
    connection.sendall(pack(message, limit))


def _receive_exactly(connection: socket.socket, size: int, *, started: bool) -> bytes:
    buffer = bytearray(size)
    view, filled = memoryview(buffer), 0
    while filled < size:
        count = connection.recv_into(view[filled:])
        if not count:
            if started or filled:
                raise BadFrame("the connection ended within a frame")
            raise EOFError("the connection ended")
        filled += count
    return bytes(buffer)
