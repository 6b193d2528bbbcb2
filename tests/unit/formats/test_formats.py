"""Formats, with recorded bytes and by writing and reading back."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.formats import content_types, libsvm, recordio
from clary.formats.recordio import Record, Tensor

finite = st.floats(width=32, allow_nan=False)


@given(st.lists(st.tuples(st.lists(finite, min_size=1), st.lists(finite, max_size=1)), max_size=5))
def test_records_are_read_as_they_were_written(rows):
    records = [Record({"values": Tensor(x)}, {"values": Tensor(y)} if y else {}) for x, y in rows]
    found = list(recordio.read(recordio.write(records)))
    assert [list(one.features["values"].values) for one in found] == [x for x, _ in rows]
    assert [list(recordio.values_of(one.label).values) if one.label else [] for one in found] == [y for _, y in rows]


@given(st.lists(finite, min_size=1), finite)
def test_the_layout_of_a_dense_record_says_where_its_numbers_lie(values, label):
    data = recordio.write([Record({"values": Tensor(values)}, {"values": Tensor([label])})] * 2)
    layout = recordio.layout_of_first(data)
    assert layout.stride * 2 == len(data)
    for span, expected in ((layout.features, values), (layout.label, [label])):
        assert list(struct.unpack_from(f"<{len(expected)}f", data, span.start)) == expected
        assert (span.size, span.code) == (4 * len(expected), "f")


def test_a_record_that_is_not_one_dense_frame_has_no_layout():
    sparse = recordio.write([Record({"values": Tensor([1.5], [3], [9])}, {})])
    two = recordio.write([Record({"a": Tensor([1]), "b": Tensor([2])}, {})])
    assert [recordio.layout_of_first(data) for data in (b"", b"x" * 20, sparse, two)] == [None] * 4
    with pytest.raises(ValueError, match="no protobuf message"):
        recordio.layout_of_first(recordio.write_frame(b"\x0a\x7f"))


def test_sparse_records_keep_keys_and_shape():
    record = Record({"values": Tensor([1.5, -2.0], [3, 70_000], [100_000])}, {})
    (found,) = recordio.read(recordio.write([record]))
    assert found.features["values"] == Tensor([1.5, -2.0], [3, 70_000], [100_000])


def test_a_recorded_message_is_read():
    """As sagemaker.amazon.common.write_numpy_to_dense_tensor writes [[1.0, 2.0]] with label [3.0]."""
    features = b"\x0a\x16\x0a\x06values\x12\x0c\x12\x0a\x0a\x08" + struct.pack("<ff", 1, 2)
    label = b"\x12\x12\x0a\x06values\x12\x08\x12\x06\x0a\x04" + struct.pack("<f", 3)
    (found,) = recordio.read(recordio.write_frame(features + label))
    assert list(found.features["values"].values) == [1.0, 2.0]
    assert list(found.label["values"].values) == [3.0]


def test_a_record_in_several_frames_is_one():
    payload = recordio.write([Record({"values": Tensor([1.0])}, {})])[8:]
    first, rest = payload[:5], payload[5:]
    frames = b"".join(
        struct.pack("<II", 0xCED7230A, flag << 29 | len(part)) + part + b"\0" * (-len(part) % 4)
        for flag, part in ((1, first), (3, rest))
    )
    assert len(list(recordio.read(frames))) == 1


@given(st.binary(max_size=200))
def test_any_other_bytes_are_refused(data):
    try:
        list(recordio.read(data))
    except ValueError:
        return
    assert data == b""


@given(st.binary(max_size=200))
def test_any_payload_is_read_or_refused(payload):
    try:
        recordio.parse_record(payload)
    except ValueError:
        return


def test_a_cut_file_is_refused():
    whole = recordio.write([Record({"values": Tensor([1.0, 2.0])}, {})])
    with pytest.raises(ValueError, match="cut off"):
        list(recordio.read(whole[:-6]))


def test_libsvm_rows_columns_and_values():
    found = libsvm.parse_features("1 0:1.5 3:2\n\n0 1:7")
    assert found.rows == 3
    assert (list(found.row), list(found.column), list(found.value)) == ([0, 0, 2], [0, 3, 1], [1.5, 2, 7])
    with pytest.raises(ValueError, match="invalid literal"):
        libsvm.parse_features("1 a:2")


@pytest.mark.parametrize("line", ["1 1:2 3:4", "0.5:2 1:2", "1", "-1 7:0.1"])
def test_libsvm_training_lines(line):
    assert libsvm.first_fault(line) is None


@pytest.mark.parametrize("line", ["a 1:2", "1:2:3 1:2", "1 2 3", "1,2,3"])
def test_what_is_no_libsvm(line):
    assert libsvm.first_fault(line)


def test_content_types():
    assert content_types.parse("Text/CSV; label_size=1;charset=utf8") == (
        "text/csv",
        {"label_size": "1", "charset": "utf8"},
    )
    assert content_types.accepted("text/csv, application/json;q=0.5") == ("text/csv", "application/json")
