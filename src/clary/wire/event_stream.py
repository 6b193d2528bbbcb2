"""An answer that is a stream of events, each in a frame of its own (`application/vnd.amazon.eventstream`,
https://smithy.io/2.0/aws/amazon-eventstream.html)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from clary.errors import AWSError
from clary.wire import json_values
from clary.wire.models import Shape
from clary.wire.protocol import error_members
from clary.wire.values import Params

CONTENT_TYPE = "application/vnd.amazon.eventstream"

Events = AsyncGenerator[Params, None]
"""Each is one member of the stream's shape: `{"PayloadPart": {"Bytes": b"…"}}`. AWSError ends the stream with it."""

_TEXT = 7
"""The type of a header whose value is text."""

_INITIAL = "initial-response"

_BLOB_TYPE = "application/octet-stream"
_TEXT_TYPE = "text/plain"
_JSON_TYPE = "application/json"


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message: its length and that of its headers, a checksum of both, headers, payload, a checksum of all."""
    packed = b"".join(map(_header, headers.items()))
    prelude = struct.pack("!II", 16 + len(packed) + len(payload), len(packed))
    start = b"".join((prelude, struct.pack("!I", zlib.crc32(prelude)), packed))
    return b"".join((start, payload, struct.pack("!I", zlib.crc32(payload, zlib.crc32(start)))))


def is_event_stream(shape: Shape) -> bool:
    """Whether what has this shape is streamed event by event."""
    return bool(shape.serialization.get("eventstream"))


async def frames(shape: Shape, events: Events, initial: bytes | None = None) -> AsyncGenerator[bytes, None]:
    """The events of a stream of this shape, each as soon as it comes; an AWSError is the last of them. `initial` comes
    before all, where the protocol has no other place for it (JSON)."""
    if initial is not None:
        yield frame({":event-type": _INITIAL, ":content-type": _JSON_TYPE, ":message-type": "event"}, initial)
    try:
        async with aclosing(events):
            async for event in events:
                [(name, members)] = event.items()
                yield _event(name, shape.members[name], members)
    except AWSError as error:
        yield _exception(error, shape.members.get(error.code))


def _event(name: str, shape: Shape, members: Params) -> bytes:
    kind, payload = _payload(shape, members)
    return frame({":event-type": name, ":content-type": kind, ":message-type": "event"}, payload)


def _payload(shape: Shape, members: Params) -> tuple[str, bytes]:
    """The member that is the payload, where one is; else all of them as JSON."""
    for name, member in shape.members.items():
        if member.serialization.get("eventpayload") and member.type_name == "blob":
            return _BLOB_TYPE, members.get(name, b"")
        if member.serialization.get("eventpayload") and member.type_name == "string":
            return _TEXT_TYPE, members.get(name, "").encode()
    return _JSON_TYPE, json_values.dumps(json_values.write(shape, members))


def _exception(error: AWSError, shape: Shape | None) -> bytes:
    headers = {":exception-type": error.code, ":content-type": _JSON_TYPE, ":message-type": "exception"}
    return frame(headers, json_values.dumps(error_members(error, shape)))


def _header(item: tuple[str, str]) -> bytes:
    name, value = (text.encode() for text in item)
    return struct.pack("!B", len(name)) + name + struct.pack("!BH", _TEXT, len(value)) + value
