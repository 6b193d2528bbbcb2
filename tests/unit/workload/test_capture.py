"""Captured requests as AWS writes them, and files of the spool as objects."""

from __future__ import annotations

import base64
import json
from collections import Counter
from datetime import UTC, datetime

import pytest

from clary.serving.spool import Record, SegmentWriter, finished
from clary.workload.capture import sorting
from clary.workload.capture.records import line, name
from clary.workload.capture.sorting import sort, waiting
from tests.unit.serving.capturing import exchange, place

AT = datetime(2026, 11, 21, 8, 15, 2, 318_900, UTC).timestamp()


def shown(where=None, **changes):
    return line(Record(where or place(), AT, exchange(**changes)))


def test_a_line_is_as_aws_writes_it():
    text = shown(input=b"69,0,153.7\n", inference_id="mine", custom_attributes="trace=1").decode()
    assert text == (
        '{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT","data":"69,0,153.7\\n",'
        '"encoding":"CSV"},"endpointOutput":{"observedContentType":"text/csv; charset=utf-8","mode":"OUTPUT",'
        '"data":"0.5","encoding":"CSV"}},"eventMetadata":{"eventId":"00000000-0000-0000-0000-000000000000",'
        '"customAttributes":["trace=1"],"inferenceId":"mine","inferenceTime":"2026-11-21T08:15:02Z"},'
        '"eventVersion":"0"}\n'
    )


def test_what_a_request_does_not_bring_is_left_out():
    assert set(json.loads(shown())["eventMetadata"]) == {"eventId", "inferenceTime"}


@pytest.mark.parametrize(
    ("modes", "sides"),
    [
        (["Input"], ["endpointInput"]),
        (["Output"], ["endpointOutput"]),
        (["Input", "Output"], ["endpointInput", "endpointOutput"]),
        (["InputAndOutput"], ["endpointInput", "endpointOutput"]),
    ],
)
def test_only_the_sides_asked_for_are_written(modes, sides):
    where = place(CaptureOptions=[{"CaptureMode": mode} for mode in modes])
    assert list(json.loads(shown(where))["captureData"]) == sides


@pytest.mark.parametrize(
    ("content_type", "body", "encoding"),
    [
        ("text/csv", b"1,2", "CSV"),
        ("TEXT/CSV; charset=utf-8", "ü".encode(), "CSV"),
        ("application/json", b'{"a": "\xe2\x80\xa8"}', "JSON"),
        ("application/x-npy", b"\x93NUMPY", "BASE64"),
        ("text/csv", b"\xff\xfe", "BASE64"),  # listed, and no UTF-8
        ("", b"", "BASE64"),
    ],
)
def test_a_bodys_encoding_follows_its_content_type(content_type, body, encoding):
    side = json.loads(shown(input_type=content_type, input=body))["captureData"]["endpointInput"]
    assert (side["encoding"], side["observedContentType"]) == (encoding, content_type)
    assert (base64.b64decode(side["data"]) if encoding == "BASE64" else side["data"].encode()) == body


def test_without_content_types_everything_is_base64():
    where = place(CaptureContentTypeHeader=None)
    assert json.loads(shown(where))["captureData"]["endpointOutput"]["encoding"] == "BASE64"


def test_a_key_has_the_hour_in_utc_and_the_moment_of_its_first_record():
    assert name(place(), AT, "id") == "e/v/2026/11/21/08/15-02-318-id.jsonl"


@pytest.fixture
def segment(tmp_path):
    """`segment((seconds, place, exchange), …)`: a file of the spool."""

    def make(*notes):
        writer = SegmentWriter(tmp_path / "spool")
        for seconds, where, what in notes:
            writer.add(where, seconds, what)
        writer.add_dropped(place(), 2)
        writer.close()
        (path,) = finished(tmp_path / "spool")
        return path

    return make


def test_there_is_an_object_for_each_variant_and_hour(segment, tmp_path):
    notes = [(AT, place("a"), exchange(0)), (AT + 1, place("b"), exchange(1)), (AT + 3600, place("a"), exchange(2))]
    path = segment(*notes, (AT + 2, place("a"), exchange(3)))
    assert sort(path, tmp_path / "waiting") == Counter({place(): 2})
    assert not path.exists()
    found = {each.uri.rpartition("/")[0]: each for each in waiting(tmp_path / "waiting")}
    below = "s3://captured/below/e"
    hours = [f"{below}/a/2026/11/21/08", f"{below}/b/2026/11/21/08", f"{below}/a/2026/11/21/09"]
    assert list(found) == hours
    lines = found[hours[0]].path.read_bytes().splitlines()
    assert [json.loads(text)["eventMetadata"]["eventId"][-1] for text in lines] == ["0", "3"]


def test_sorting_again_after_a_crash_makes_the_same_objects(segment, tmp_path, monkeypatch):
    path = segment((AT, place("a"), exchange(0)), (AT, place("b"), exchange(1)))
    kept, real, calls = path.read_bytes(), sorting._write, []

    def dies(*arguments):
        if calls:
            raise SystemExit
        calls.append(real(*arguments))

    monkeypatch.setattr(sorting, "_write", dies)
    with pytest.raises(SystemExit):
        sort(path, tmp_path / "waiting")
    monkeypatch.undo()
    (first,) = waiting(tmp_path / "waiting")
    sort(path, tmp_path / "waiting")
    once = waiting(tmp_path / "waiting")
    assert (len(once), first in once) == (2, True)
    path.write_bytes(kept)
    sort(path, tmp_path / "waiting")
    assert waiting(tmp_path / "waiting") == once


def test_records_from_before_a_reset_are_left_out(segment, tmp_path):
    path = segment((AT, place(), exchange(0)), (AT + 1, place(), exchange(1)))
    sort(path, tmp_path / "waiting", since=AT + 0.5)
    (only,) = waiting(tmp_path / "waiting")
    assert only.path.read_bytes().count(b"\n") == 1


@pytest.mark.parametrize("torn", ["note", "content"])
def test_what_a_dying_machine_has_left_half_is_given_up(segment, tmp_path, torn):
    sort(segment((AT, place("a"), exchange(0)), (AT, place("b"), exchange(1))), tmp_path / "waiting")
    first, second = waiting(tmp_path / "waiting")
    if torn == "note":
        first.note.write_text("")
    else:
        first.path.unlink()
    assert waiting(tmp_path / "waiting") == [second]
    assert not first.note.exists()
