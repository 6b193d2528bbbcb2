"""What the runtime and the edge say to one another: a head as JSON and a body as it is, in one frame.

    edge → runtime   {"id", "arn", "deadline", "client_context", "trace"}, the event
    runtime → edge   {"ready": true, "memory"}, nothing · {"id", "error": true|false, "memory"}, the answer

Two lengths of four bytes stand before both. The standard library only, for Pythons of 3.8 and later: both ends read
this file.
"""

from __future__ import annotations

import json
import struct
from typing import Any, Dict, Optional, Tuple

PORT = 9001
"""Where the runtime listens, inside."""

MOST = 64 * 2**20
"""Bytes of a frame. More is no frame."""

_LENGTHS = struct.Struct(">II")

Head = Dict[str, Any]


class BadFrame(Exception):
    """The other end sent something that is no frame."""


def pack(head: Head, body: bytes = b"") -> bytes:
    """One frame."""
    said = json.dumps(head).encode()
    return _LENGTHS.pack(len(said), len(body)) + said + body


def unpack(buffer: bytearray) -> Optional[Tuple[Head, bytes]]:
    """The first frame of `buffer`, which is taken out of it; None while it is not whole. Raises BadFrame."""
    if len(buffer) < _LENGTHS.size:
        return None
    head_size, body_size = _LENGTHS.unpack_from(buffer)
    end = _LENGTHS.size + head_size + body_size
    if end > MOST:
        raise BadFrame("a frame of {} bytes; at most {} are allowed".format(end, MOST))
    if len(buffer) < end:
        return None
    split = _LENGTHS.size + head_size
    said, body = bytes(buffer[_LENGTHS.size : split]), bytes(buffer[split:end])
    del buffer[:end]
    return _head(said), body


def _head(said: bytes) -> Head:
    try:
        head = json.loads(said)
    except ValueError as error:
        raise BadFrame("not a head: {}".format(error)) from error
    if not isinstance(head, dict):
        raise BadFrame("not a head")
    return head
