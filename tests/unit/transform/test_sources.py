"""Input objects cut into requests: every byte once, in order, never more than the limit."""

import gzip
import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.workload.transform.sources import Malformed, TooLarge, batches, opened


def cut(data, split, *, single=False, limit=None):
    return list(batches(io.BytesIO(data), split, single=single, limit=limit))


lines = st.lists(st.binary(min_size=1, max_size=20).filter(lambda line: b"\n" not in line), min_size=1, max_size=30)


@given(lines, st.integers(22, 100), st.booleans())
def test_lines_are_never_cut_nor_lost(rows, limit, ends):
    data = b"\n".join(rows) + (b"\n" if ends else b"")
    found = cut(data, "Line", limit=limit)
    assert b"".join(found) == data
    assert all(len(batch) <= limit for batch in found)
    assert all(batch.endswith(b"\n") for batch in found[:-1])


@given(lines)
def test_one_line_a_request(rows):
    found = cut(b"\n".join(rows), "Line", single=True, limit=100)
    assert [batch.rstrip(b"\n") for batch in found] == rows


@pytest.mark.parametrize("single", [True, False])
def test_a_line_longer_than_the_limit_is_too_large(single):
    assert cut(b"x" * 10, "Line", single=single, limit=10) == [b"x" * 10]
    with pytest.raises(TooLarge):
        cut(b"ok\n" + b"x" * 11, "Line", single=single, limit=10)


def test_without_a_split_the_object_is_one_request():
    assert cut(b"a\nb\n", "None", limit=4) == [b"a\nb\n"]
    with pytest.raises(TooLarge):
        cut(b"a\nb\nc", "None", limit=4)
    assert cut(b"x" * 10**6, "None") == [b"x" * 10**6]


def recordio(payload):
    return struct.pack("<II", 0xCED7230A, len(payload)) + payload + b"\0" * (-len(payload) % 4)


def tfrecord(payload):
    return struct.pack("<QI", len(payload), 0) + payload + struct.pack("<I", 0)


@pytest.mark.parametrize(("split", "frame"), [("RecordIO", recordio), ("TFRecord", tfrecord)])
def test_framed_records_keep_their_frames(split, frame):
    records = [frame(b"x" * size) for size in (1, 5, 8, 0)]
    assert cut(b"".join(records), split, single=True) == records
    two = len(records[0]) + len(records[1])
    assert cut(b"".join(records), split, limit=two)[0] == records[0] + records[1]
    assert b"".join(cut(b"".join(records), split, limit=two)) == b"".join(records)
    with pytest.raises(Malformed):
        cut(b"".join(records)[:-1], split)


def test_what_is_no_recordio_is_malformed():
    with pytest.raises(Malformed, match="no RecordIO record"):
        cut(b"1,2\n3,4,5,6\n", "RecordIO")


def test_an_object_of_several_parts_is_one_stream(tmp_path):
    (tmp_path / "a").write_bytes(b"0123456789")
    (tmp_path / "b").write_bytes(b"abcdef")
    segments = [(str(tmp_path / "a"), 2, 5), (str(tmp_path / "b"), 0, 3)]
    with opened(segments, gzipped=False) as stream:
        assert stream.read() == b"23456abc"


def test_compressed_objects_are_read_as_what_they_hold(tmp_path):
    packed = gzip.compress(b"1\n2\n")
    (tmp_path / "a").write_bytes(packed)
    with opened([(str(tmp_path / "a"), 0, len(packed))], gzipped=True) as stream:
        assert list(batches(stream, "Line", single=False, limit=100)) == [b"1\n2\n"]
    with opened([(str(tmp_path / "a"), 0, len(packed) - 4)], gzipped=True) as stream, pytest.raises(Malformed):
        list(batches(stream, "Line", single=False, limit=100))


def test_a_file_that_became_shorter_is_noticed(tmp_path):
    (tmp_path / "a").write_bytes(b"12")
    with opened([(str(tmp_path / "a"), 0, 5)], gzipped=False) as stream, pytest.raises(Malformed):
        list(batches(stream, "Line", single=False, limit=100))
