"""Log streams as files: every line once, in order, at a position that stays."""

from __future__ import annotations

import ast
import sys
import threading
from itertools import islice, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.telemetry import logfile
from clary.telemetry.insertion import insert
from clary.telemetry.logfile import EVENT_BYTES, LogReader, LogWriter
from clary.telemetry.paths import stream_file


@pytest.fixture
def path(tmp_path):
    return tmp_path / "group" / "stream.log"


def written(path, *feeds):
    writer = LogWriter(path)
    for now, data in feeds:
        writer.feed(data, now)
    writer.close()
    return LogReader(path)


def messages(events):
    return [event.message for event in events]


def test_a_line_is_an_event_at_the_time_it_came(path):
    reader = written(path, (1000, b"one\ntwo\n"), (2000, b"three\n"))
    assert [(e.timestamp, e.ingested, e.message) for e in reader.forward()] == [
        (1000, 1000, "one"),
        (1000, 1000, "two"),
        (2000, 2000, "three"),
    ]


def test_a_line_that_comes_in_pieces_is_one_event(path):
    reader = written(path, (1, b"on"), (2, b"e\ntw"), (3, b"o"), (4, b"\n"))
    assert [(e.timestamp, e.message) for e in reader.forward()] == [(2, "one"), (4, "two")]


def test_what_is_whole_is_readable_before_the_writer_closes(path):
    writer = LogWriter(path)
    writer.feed(b"one\ntw", 1)
    assert messages(LogReader(path).forward()) == ["one"]
    writer.close()
    writer.close()
    assert messages(LogReader(path).forward()) == ["one", "tw"]


def test_empty_lines_are_left_out(path):
    assert messages(written(path, (1, b"\n\na\n\n\nb\n\n")).forward()) == ["a", "b"]


def test_a_clock_that_goes_back_does_not_disorder_the_stream(path):
    reader = written(path, (5000, b"a\n"), (4000, b"b\n"))
    assert [e.timestamp for e in reader.forward()] == [5000, 5000]
    reader = written(path, (3000, b"c\n"))
    assert [e.timestamp for e in reader.forward()] == [5000, 5000, 5000]


def test_a_stream_that_is_not_there_is_empty(path):
    reader = LogReader(path)
    assert (list(reader.forward()), list(reader.backward()), reader.end(), reader.seek(5)) == ([], [], 0, 0)
    assert reader.first() is None
    assert reader.last() is None


@pytest.mark.parametrize("pieces", [1, 64 * 1024, 10**9])
def test_a_line_of_a_megabyte_becomes_events_of_256_kib_and_loses_nothing(path, pieces):
    line = ("é€x" * 180_000).encode()
    pieces = max(pieces, 4001)
    feeds = [(1, line[i : i + pieces]) for i in range(0, len(line), pieces)]
    events = list(written(path, *feeds, (1, b"\nnext\n")).forward())
    assert "".join(messages(events[:-1])) == line.decode()
    assert events[-1].message == "next"
    assert all(EVENT_BYTES - 4 < len(e.message.encode()) <= EVENT_BYTES for e in events[:-2])


def test_memory_stays_bounded_while_a_line_never_ends(path):
    writer = LogWriter(path)
    for _ in range(40):
        writer.feed(b"x" * 100_000, 1)
        assert len(writer._rest) <= EVENT_BYTES
    writer.close()
    assert sum(len(m) for m in messages(LogReader(path).forward())) == 4_000_000


def test_bytes_that_are_no_utf8_are_shown_all_the_same(path):
    assert messages(written(path, (1, b"\xff\xfe ok \x80\n" + b"\x80" * 300_000 + b"\n")).forward())[0] == "�� ok �"


def test_a_stream_ends_at_its_limit_and_says_so(path):
    writer = LogWriter(path, limit_bytes=1000)
    for n in range(100):
        writer.feed(b"line %d\n" % n, 1)
    writer.close()
    seen = messages(LogReader(path).forward())
    assert "limit of 1000 bytes" in seen[-1]
    assert path.stat().st_size < 1200
    again = LogWriter(path, limit_bytes=1000)
    again.feed(b"more\n", 2)
    again.close()
    assert messages(LogReader(path).forward()) == seen


def test_what_a_crash_cut_off_is_not_seen_and_not_built_upon(path):
    written(path, (1, b"one\n"))
    with path.open("ab") as file:
        file.write(b"17 F tor")
    assert messages(LogReader(path).forward()) == ["one"]
    assert LogReader(path).last().message == "one"
    assert messages(written(path, (2, b"two\n")).forward()) == ["one", "two"]


def test_a_damaged_line_is_shown_instead_of_failing(path):
    written(path, (1, b"one\n"))
    with path.open("ab") as file:
        file.write(b"\0\0\0\0\n")
    written(path, (3, b"two\n"))
    assert messages(LogReader(path).forward()) == ["one", "\0\0\0\0", "two"]


@given(
    lines=st.lists(st.binary(max_size=40).filter(lambda b: b"\n" not in b and b), max_size=30), cut=st.integers(1, 50)
)
def test_however_output_is_cut_the_lines_are_the_same(tmp_path_factory, lines, cut):
    path = tmp_path_factory.mktemp("log") / "s.log"
    data = b"".join(line + b"\n" for line in lines)
    reader = written(path, *((1, data[i : i + cut]) for i in range(0, len(data), cut)))
    assert messages(reader.forward()) == [line.decode("utf-8", "replace") for line in lines]
    assert list(reader.backward()) == list(reader.forward())[::-1]


def test_reading_goes_on_where_it_stopped_and_back_again(path):
    reader = written(path, *((n, b"line %d\n" % n) for n in range(5000)))
    whole = list(reader.forward())
    assert all(before.end == after.position for before, after in pairwise(whole))
    first = list(islice(reader.forward(), 1000))
    assert list(islice(reader.forward(first[-1].end), 4000)) == whole[1000:]
    assert list(islice(reader.backward(whole[2000].position), 500)) == whole[1500:2000][::-1]
    assert list(reader.backward()) == whole[::-1]
    assert list(reader.forward(reader.end())) == []


def test_any_position_that_a_client_makes_up_is_answered(path):
    reader = written(path, (1, b"one\ntwo\nthree\n"))
    size = path.stat().st_size
    for position in range(-2, size + 5):
        assert messages(reader.forward(position)) in (["one", "two", "three"], ["two", "three"], ["three"], [])
        assert messages(reader.backward(position))[::-1] in (["one", "two", "three"], ["one", "two"], ["one"], [])


@given(times=st.lists(st.integers(0, 50), max_size=60), wanted=st.integers(-1, 52))
def test_seeking_finds_the_first_event_not_before_a_time(tmp_path_factory, times, wanted):
    path = tmp_path_factory.mktemp("log") / "s.log"
    reader = written(path, *((when, b"at %d\n" % when) for when in sorted(times)))
    assert [e.timestamp for e in reader.forward(reader.seek(wanted))] == [t for t in sorted(times) if t >= wanted]


def test_events_of_several_lines_come_back_whole_both_ways(path):
    insert(path, [(5, "a\nb\n\nc"), (6, "\n"), (7, "")], 9)
    reader = LogReader(path)
    assert [(e.timestamp, e.ingested, e.message) for e in reader.forward()] == [
        (5, 9, "a\nb\n\nc"),
        (6, 9, "\n"),
        (7, 9, ""),
    ]
    assert list(reader.backward()) == list(reader.forward())[::-1]
    assert reader.seek(6) == list(reader.forward())[1].position


@given(batches=st.lists(st.lists(st.integers(0, 20), max_size=6), max_size=6))
def test_inserted_events_stand_in_the_order_of_their_times(tmp_path_factory, batches):
    path = tmp_path_factory.mktemp("log") / "s.log"
    expected = []
    for number, batch in enumerate(batches):
        fresh = [(when, f"{number}.{place}\nx") for place, when in enumerate(batch)]
        insert(path, fresh, 100 + number)
        expected = sorted(expected + fresh, key=lambda event: event[0])
    assert [(e.timestamp, e.message) for e in LogReader(path).forward()] == sorted(expected, key=lambda event: event[0])
    assert sorted(m for _, m in expected) == sorted(messages(LogReader(path).forward()))


def test_a_reader_that_follows_a_writer_misses_and_repeats_nothing(path):
    writer = LogWriter(path)

    def write():
        for n in range(3000):
            writer.feed(b"%d\n%d" % (2 * n, 2 * n + 1))
            writer.feed(b"\n")
        writer.close()

    thread = threading.Thread(target=write)
    thread.start()
    reader, position, seen = LogReader(path), 0, []
    while len(seen) < 6000:
        for event in reader.forward(position):
            seen.append(int(event.message))
            position = event.end
    thread.join()
    assert seen == list(range(6000))


def test_names_never_become_paths_and_differ_where_the_names_do(tmp_path):
    a = stream_file(tmp_path, "1", "r", "/../../etc", "passwd")
    assert tmp_path in a.parents
    assert ".." not in str(a.relative_to(tmp_path))
    assert a == stream_file(tmp_path, "1", "r", "/../../etc", "passwd")
    others = [
        ("1", "r", "/../../etc/", "passwd"),
        ("1", "r2", "/../../etc", "passwd"),
        ("2", "r", "/../../etc", "passwd"),
    ]
    assert len({stream_file(tmp_path, *other) for other in others} | {a}) == 4


def test_the_writer_runs_on_the_pythons_of_old_images_with_nothing_installed():
    source = Path(logfile.__file__).read_text()
    tree = ast.parse(source, feature_version=(3, 8))
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert imported <= sys.stdlib_module_names
    assert "from __future__ import annotations" in source
