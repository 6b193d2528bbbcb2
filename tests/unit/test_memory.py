"""Where tests write: in memory only where there is room for them, and where programs and overlays work."""

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import memory

PLENTY = "MemTotal:       24000000 kB\nMemAvailable:   20000000 kB\n"


@pytest.fixture
def said(tmp_path: Path) -> Path:
    path = tmp_path / "meminfo"
    path.write_text(PLENTY)
    return path


def test_a_folder_with_room_is_taken(tmp_path, said, monkeypatch):
    monkeypatch.setattr(memory, "ROOM", 1)
    assert memory.place(tmp_path, said) == tmp_path


def test_a_small_one_is_not(tmp_path, said, monkeypatch):
    monkeypatch.setattr(memory, "ROOM", 2**62)
    assert memory.place(tmp_path, said) is None


def test_none_is_where_the_machine_has_little_left(tmp_path, said, monkeypatch):
    monkeypatch.setattr(memory, "ROOM", 1)
    said.write_text(PLENTY.replace("20000000", "2000000"))
    assert memory.place(tmp_path, said) is None


def test_none_is_where_nothing_says_how_much_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "ROOM", 1)
    assert memory.place(tmp_path, tmp_path / "missing") is None


def test_one_that_is_not_there_is_not(tmp_path, said):
    assert memory.place(tmp_path / "missing", said) is None


def test_one_that_refuses_programs_is_not(tmp_path, said, monkeypatch):
    monkeypatch.setattr(memory, "ROOM", 1)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=1, f_frsize=1, f_flag=os.ST_NOEXEC))
    assert memory.place(tmp_path, said) is None


def test_one_without_attributes_is_not(tmp_path, said, monkeypatch):
    def refused(*_):
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr(memory, "ROOM", 1)
    monkeypatch.setattr(os, "setxattr", refused)
    assert memory.place(tmp_path, said) is None
