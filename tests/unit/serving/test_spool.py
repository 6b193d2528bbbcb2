"""The spool: what an edge has appended is read again, whatever became of the edge."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clary.serving import recorder as recorders
from clary.serving.recorder import Recorder
from clary.serving.spool import CLOSED, Dropped, Record, SegmentWriter, Torn, finished, read

from .capturing import capture, exchange, place

TESTS = Path(__file__).parents[3]


def written(folder, *notes):
    writer = SegmentWriter(folder)
    for seconds, (where, what) in enumerate(notes):
        writer.add(where, float(seconds), what)
    return writer


def test_what_was_noted_is_read_in_order_with_its_places(tmp_path):
    binary = exchange(2, input=bytes(range(256)), custom_attributes="a=ü", inference_id="mine")
    notes = [(place("a"), exchange(0)), (place("b"), exchange(1)), (place("a"), binary)]
    written(tmp_path, *notes).close()
    (path,) = finished(tmp_path)
    assert list(read(path)) == [Record(where, float(n), what) for n, (where, what) in enumerate(notes)]


def test_a_variant_that_is_captured_otherwise_is_another_place(tmp_path):
    less = place(CaptureOptions=[{"CaptureMode": "Input"}])
    written(tmp_path, (place(), exchange()), (less, exchange()), (place(), exchange())).close()
    assert [record.place for record in read(*finished(tmp_path))] == [place(), less, place()]


def test_what_a_request_says_of_itself_cannot_break_a_record(tmp_path):
    written(
        tmp_path, (place(), exchange(custom_attributes="a\0b", inference_id="\0\ud800")), (place(), exchange())
    ).close()
    first, second = read(*finished(tmp_path))
    assert (first.exchange.custom_attributes, first.exchange.inference_id) == ("ab", "?")
    assert second.exchange == exchange()


def test_an_edge_that_lives_keeps_its_file_and_one_that_is_gone_does_not(tmp_path):
    writer = written(tmp_path, (place(), exchange()))
    assert finished(tmp_path) == []
    os.close(writer._file)  # as its end does
    (path,) = finished(tmp_path)
    assert path.suffix == CLOSED
    assert finished(tmp_path) == [path]


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_record_that_is_cut_off_is_none(tmp_path, cut):
    written(tmp_path, (place(), exchange(0)), (place(), exchange(1))).close()
    (path,) = finished(tmp_path)
    os.truncate(path, path.stat().st_size - cut)
    assert [record.exchange.event_id for record in read(path)] == [exchange(0).event_id]


def test_what_a_dying_machine_has_torn_ends_the_file(tmp_path):
    written(tmp_path, (place(), exchange(0))).close()
    (path,) = finished(tmp_path)
    with path.open("ab") as file:
        file.write(b"\x01\x08\x00\x00\x00notafram")
    found = read(path)
    assert isinstance(next(found), Record)
    with pytest.raises(Torn):
        next(found)


EDGE = """\
import os, pathlib, signal, sys
from clary.serving.recorder import Recorder
from tests.unit.serving.capturing import exchange, place
recorder = Recorder(pathlib.Path(sys.argv[1]))
for number in range(1000):
    recorder.note(place(), exchange(number))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_edge_killed_after_its_answers_has_lost_none_of_them(tmp_path):
    done = subprocess.run([sys.executable, "-c", EDGE, str(tmp_path)], cwd=TESTS, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    (path,) = finished(tmp_path)
    assert [record.exchange for record in read(path)] == [exchange(number) for number in range(1000)]


def drawn(percentage, seed=7, count=2000):
    draws = Recorder(Path("unused"), random.Random(seed).random)
    return [draws.draws(capture(InitialSamplingPercentage=percentage)) for _ in range(count)]


def test_requests_are_drawn_by_chance_and_each_by_itself():
    assert not any(drawn(0))
    assert all(drawn(100))
    half = drawn(50)
    assert half == drawn(50)
    assert half != drawn(50, seed=8)
    assert 900 < sum(half) < 1100


def test_a_full_file_is_closed_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(recorders, "SEGMENT_BYTES", 1000)
    recorder = Recorder(tmp_path)
    for number in range(10):
        recorder.note(place(), exchange(number, input=b"x" * 600))
    paths = finished(tmp_path)
    assert len(paths) > 1
    recorder.close()
    found = [record.exchange.event_id for path in finished(tmp_path) for record in read(path)]
    assert sorted(found) == [exchange(number).event_id for number in range(10)]


def test_a_full_spool_takes_nothing_and_says_later_how_many_it_did_not_take(tmp_path, monkeypatch):
    recorder = Recorder(tmp_path)
    monkeypatch.setattr(recorders, "SPOOL_BYTES", 0)
    for _ in range(3):
        recorder.note(place(), exchange())
    assert finished(tmp_path) == []
    monkeypatch.undo()
    recorder._full_until = 0.0
    recorder.close()
    assert [list(read(path)) for path in finished(tmp_path)] == [[Dropped(place(), 3)]]


def test_a_disk_that_is_full_costs_the_record_and_no_more(tmp_path, monkeypatch):
    recorder = Recorder(tmp_path)
    recorder.note(place(), exchange(0))
    real = os.writev
    monkeypatch.setattr(os, "writev", lambda file, parts: real(file, parts[:1]))
    recorder.note(place(), exchange(1))
    monkeypatch.undo()
    recorder.note(place(), exchange(2))
    recorder.close()
    records = list(read(*finished(tmp_path)))
    assert [each.exchange.event_id[-1] for each in records if isinstance(each, Record)] == ["0", "2"]
    assert records[-1] == Dropped(place(), 1)
