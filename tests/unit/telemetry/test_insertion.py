"""Events that arrive with times of their own: a batch is there whole, or not at all, and so is what came before it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from clary.telemetry import insertion
from clary.telemetry.insertion import begin, end, expire, insert
from clary.telemetry.logfile import LogReader

LONG = "line\n" * 30_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "group" / "stream.log"


def said(path: Path) -> list[str]:
    return [event.message for event in LogReader(path).forward()]


def write_half(descriptor: int, data: bytes) -> None:
    os.write(descriptor, data[: len(data) // 2])
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_batch_for_which_there_is_no_space_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    insert(path, [(1, "kept")], 1)
    with monkeypatch.context() as full, pytest.raises(OSError, match="No space"):
        full.setattr(insertion, "write_all", write_half)
        insert(path, [(2, "one"), (3, "two"), (4, "three"), (5, "four")], 5)
    assert said(path) == ["kept"]
    insert(path, [(6, "again")], 6)
    assert said(path) == ["kept", "again"]


@pytest.mark.parametrize("lost", [1, 3, 40, 70_000])
def test_an_event_of_several_lines_that_a_kill_cut_off_is_no_part_of_the_next(path: Path, lost: int) -> None:
    insert(path, [(1, "two\nlines")], 1)
    insert(path, [(2, LONG)], 2)
    os.truncate(path, path.stat().st_size - lost)
    insert(path, [(3, "next"), (4, "last\none")], 4)
    assert said(path) == ["two\nlines", "next", "last\none"]


def test_a_stream_of_which_only_a_cut_off_event_is_left_is_empty(path: Path) -> None:
    insert(path, [(1, LONG)], 1)
    os.truncate(path, path.stat().st_size - 5)
    insert(path, [(2, "next")], 2)
    assert said(path) == ["next"]


@pytest.mark.parametrize("older", [0, 2])
def test_events_put_between_others_leave_no_file_where_there_is_no_space(
    path: Path, monkeypatch: pytest.MonkeyPatch, older: int
) -> None:
    insert(path, [(1, "one"), (3, "three")], 3)

    def no_space(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full, pytest.raises(OSError, match="No space"):
        full.setattr(os, "fsync", no_space)
        insert(path, [(older, "between")], 4)
    with monkeypatch.context() as full, pytest.raises(OSError, match="No space"):
        full.setattr(os, "fsync", no_space)
        expire(path, 2)
    assert said(path) == ["one", "three"]
    assert [each.name for each in path.parent.iterdir()] == ["stream.log"]


def test_a_stream_that_is_made_again_has_nothing_of_one_whose_deletion_was_killed(path: Path) -> None:
    insert(path, [(1, "old")], 1)
    rows: set[str] = set()
    begin(path, lambda: "row" in rows, lambda: rows.add("row"))
    assert said(path) == []
    insert(path, [(2, "new")], 2)
    begin(path, lambda: "row" in rows, lambda: None)
    assert said(path) == ["new"]


def test_a_stream_that_was_made_again_meanwhile_keeps_its_file(path: Path) -> None:
    insert(path, [(1, "new")], 1)
    end(path, lambda: True)
    assert said(path) == ["new"]
    end(path, lambda: False)
    assert not path.exists()
