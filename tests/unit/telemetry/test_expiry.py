"""Expired events are taken out of files, and nothing else."""

from clary.telemetry.insertion import empty, expire, insert
from clary.telemetry.logfile import LogReader, LogWriter


def texts(path):
    return [event.message for event in LogReader(path).forward()]


def test_only_what_is_older_goes(tmp_path):
    path = tmp_path / "s.log"
    insert(path, [(1, "a"), (2, "b\nof two lines"), (3, "c")], 10)
    expire(path, 2)
    assert texts(path) == ["b\nof two lines", "c"]
    inode = path.stat().st_ino
    expire(path, 2)
    assert path.stat().st_ino == inode
    expire(path, 100)
    assert texts(path) == []
    insert(path, [(5, "d")], 10)
    assert texts(path) == ["d"]


def test_streams_without_a_file_have_nothing_to_expire(tmp_path):
    expire(tmp_path / "no.log", 100)
    empty(tmp_path / "no.log", 100)


def test_a_writer_goes_on_in_a_file_that_was_emptied(tmp_path):
    path = tmp_path / "s.log"
    writer = LogWriter(path)
    writer.feed(b"old\n", 1)
    empty(path, 1)
    assert texts(path) == ["old"]
    empty(path, 2)
    writer.feed(b"new\n", 3)
    writer.close()
    assert texts(path) == ["new"]
