"""What is written as an event stream is read by botocore as it was meant."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from botocore.exceptions import EventStreamError
from botocore.parsers import create_parser

from clary.errors import AWSError
from clary.wire import models
from clary.wire.event_stream import Events, frame, frames

OUTPUT = models.operation("sagemaker-runtime", "InvokeEndpointWithResponseStream").output_shape
SHAPE = OUTPUT.members["Body"]


async def written(events: Events) -> bytes:
    return b"".join([piece async for piece in frames(SHAPE, events)])


def read(data: bytes) -> list[Any]:
    """As botocore's EventStream does."""
    parser = create_parser("rest-json")._event_stream_parser
    buffer, found = EventStreamBuffer(), []
    buffer.add_data(data)
    for message in buffer:
        answer = message.to_response_dict()
        parsed = parser.parse(answer, SHAPE)
        found.append(parsed if answer["status_code"] == 200 else EventStreamError(parsed, "O").response["Error"])
    return found


async def parts(*bodies: bytes, failed: AWSError | None = None) -> Events:
    for body in bodies:
        yield {"PayloadPart": {"Bytes": body}}
    if failed:
        raise failed


async def test_each_part_is_an_event_of_its_own() -> None:
    bodies = [b"a", b"", bytes(range(256)) * 300]
    assert read(await written(parts(*bodies))) == [{"PayloadPart": {"Bytes": body}} for body in bodies]


async def test_an_error_is_the_last_event_and_has_its_members() -> None:
    members = {"ErrorCode": "StreamBroken"}
    error = AWSError("ModelStreamError", "It broke: “ü”.", members=members)
    data = await written(parts(b"a", failed=error))
    assert read(data) == [{"PayloadPart": {"Bytes": b"a"}}, {"Code": "ModelStreamError", "Message": "It broke: “ü”."}]
    assert b'"ErrorCode":"StreamBroken"' in data


async def test_events_are_let_go_where_nobody_reads_on() -> None:
    closed = []

    async def events() -> Events:
        try:
            yield {"PayloadPart": {"Bytes": b"a"}}
            yield {"PayloadPart": {"Bytes": b"b"}}
        finally:
            closed.append(True)

    stream = frames(SHAPE, events())
    await anext(stream)
    await stream.aclose()
    assert closed == [True]


@pytest.mark.parametrize("headers", [{}, {":event-type": "X"}, {"a": "", "ü": "ö" * 40}])
def test_a_frame_has_its_headers_and_its_checksums(headers: dict[str, str]) -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(frame(headers, b"payload"))
    (message,) = list(buffer)
    assert (message.headers, message.payload) == (headers, b"payload")
