"""What the runtime and the edge say to one another survives being cut anywhere."""

from __future__ import annotations

import pytest

from clary.toolkit.function import frames


def test_frames_are_read_back_however_they_come():
    sent = frames.pack({"id": "1"}, b"\x00\xff") + frames.pack({"ready": True})
    buffer, found = bytearray(), []
    for byte in sent:
        buffer.append(byte)
        frame = frames.unpack(buffer)
        if frame:
            found.append(frame)
    assert found == [({"id": "1"}, b"\x00\xff"), ({"ready": True}, b"")]
    assert not buffer


def test_a_frame_without_measure_is_refused():
    with pytest.raises(frames.BadFrame):
        frames.unpack(bytearray(b"\xff" * 8))


@pytest.mark.parametrize("head", [b"nonsense", b"[1]"])
def test_a_head_that_is_none_is_refused(head):
    with pytest.raises(frames.BadFrame):
        frames.unpack(bytearray(len(head).to_bytes(4, "big") + bytes(4) + head))
