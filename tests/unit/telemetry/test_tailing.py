"""What comes into a group's files while somebody looks on."""

import pytest

from clary.telemetry import tailing
from clary.telemetry.insertion import empty, insert
from clary.telemetry.logfile import LogWriter
from clary.telemetry.tailing import GroupTail


@pytest.fixture
def folder(tmp_path):
    insert(tmp_path / "a.log", [(1000, "old")], 1000)
    return tmp_path


def fresh(tail):
    return {each.file: [event.message for event in each.events] for each in tail.fresh()}


def test_what_was_there_is_passed_over_and_what_comes_is_seen_once(folder):
    tail = GroupTail(folder)
    insert(folder / "a.log", [(2000, "new"), (2001, "two\nlines")], 2001)
    insert(folder / "b.log", [(500, "another stream")], 2002)
    assert fresh(tail) == {"a.log": ["new", "two\nlines"], "b.log": ["another stream"]}
    assert fresh(tail) == {}


def test_an_event_that_arrives_late_is_seen_alone_though_the_file_is_written_anew(folder):
    insert(folder / "a.log", [(3000, "newest")], 3000)
    tail = GroupTail(folder)
    insert(folder / "a.log", [(2000, "late")], 4000)
    assert fresh(tail) == {"a.log": ["late"]}
    insert(folder / "a.log", [(5000, "after")], 5000)
    assert fresh(tail) == {"a.log": ["after"]}


def test_a_file_that_was_emptied_begins_anew(folder):
    tail = GroupTail(folder)
    empty(folder / "a.log", 9000)
    insert(folder / "a.log", [(1, "x")], 1)
    assert fresh(tail) == {"a.log": ["x"]}


def test_a_line_without_an_end_is_waited_for(folder):
    writer, tail = LogWriter(folder / "c.log"), GroupTail(folder)
    writer.feed(b"one\ntw")
    assert fresh(tail) == {"c.log": ["one"]}
    writer.feed(b"o\n")
    assert fresh(tail) == {"c.log": ["two"]}
    writer.close()


def test_of_a_program_that_prints_for_ever_a_part_is_read(folder, monkeypatch):
    monkeypatch.setattr(tailing, "_EVENTS", 3)
    tail = GroupTail(folder)
    insert(folder / "a.log", [(2000 + number, str(number)) for number in range(9)], 3000)
    [seen] = tail.fresh()
    assert ([event.message for event in seen.events], seen.whole) == (["0", "1", "2"], False)
    insert(folder / "a.log", [(4000, "later")], 4000)
    assert fresh(tail) == {"a.log": ["later"]}


def test_a_group_without_a_folder_is_empty(tmp_path):
    assert fresh(GroupTail(tmp_path / "none")) == {}
