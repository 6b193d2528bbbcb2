import asyncio
import socket
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest

from clary.wire import frames

MESSAGE = {
    "text": "näme",
    "bytes": b"\x00\xff",
    "numbers": [1, -2, 2**40, 1.5, True, None],
    "when": datetime(2026, 11, 21, 3, 4, 5, 678901, tzinfo=UTC),
    "nested": {"empty": {}, "list": [[]]},
}


def test_a_message_survives_packing():
    assert frames.unpack(frames.pack(MESSAGE)[4:]) == MESSAGE


def test_times_of_other_zones_come_out_as_the_same_moment_in_utc():
    there = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    back = frames.unpack(frames.pack(there)[4:])
    assert back == there and back.tzinfo is UTC


@pytest.mark.parametrize("value", [object(), datetime(2026, 1, 1), {"n": 2**80}])  # noqa: DTZ001
def test_what_a_frame_cannot_hold_is_refused(value):
    with pytest.raises(frames.BadFrame):
        frames.pack(value)


def test_a_frame_over_the_limit_is_refused_on_both_sides():
    with pytest.raises(frames.BadFrame):
        frames.pack(b"x" * 100, limit=10)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        frames.send(ours, b"x" * 100)
        with pytest.raises(frames.BadFrame):
            frames.receive(theirs, limit=10)


def test_blocking_sockets_carry_a_frame_larger_than_their_buffers():
    ours, theirs = socket.socketpair()
    big = {"body": b"x" * 3_000_000}
    with ours, theirs:
        sender = threading.Thread(target=frames.send, args=(ours, big))
        sender.start()
        assert frames.receive(theirs) == big
        sender.join()


def test_the_end_between_frames_is_not_the_end_within_one():
    ours, theirs = socket.socketpair()
    with theirs:
        ours.close()
        with pytest.raises(EOFError):
            frames.receive(theirs)
    ours, theirs = socket.socketpair()
    with theirs:
        ours.sendall(frames.pack("torn")[:-1])
        ours.close()
        with pytest.raises(frames.BadFrame):
            frames.receive(theirs)


def test_bytes_that_are_no_message_are_refused():
    with pytest.raises(frames.BadFrame):
        frames.unpack(b"\xc1")
    with pytest.raises(frames.BadFrame):
        frames.unpack(b"")


async def test_streams_carry_messages_in_order_and_tell_torn_frames():
    reader = asyncio.StreamReader()
    reader.feed_data(frames.pack(MESSAGE) + frames.pack(2) + frames.pack("torn")[:3])
    reader.feed_eof()
    assert await frames.read(reader) == MESSAGE
    assert await frames.read(reader) == 2
    with pytest.raises(frames.BadFrame):
        await frames.read(reader)
    with pytest.raises(EOFError):
        await frames.read(reader)
