"""Locks and records of a container's folder."""

from __future__ import annotations

import os

import pytest

from clary.compute import record
from clary.compute.base import Absent, Exited, Lost, Running
from clary.compute.local import _state


def test_asking_for_the_lock_never_takes_it(tmp_path):
    folder = str(tmp_path)
    assert not record.is_locked(folder)
    lock = record.take_lock(folder)
    assert lock is not None
    assert record.take_lock(folder) is None
    assert record.is_locked(folder)
    os.close(lock)
    assert not record.is_locked(folder)


def test_a_lock_is_held_by_whoever_inherited_it(tmp_path):
    lock = record.take_lock(str(tmp_path))
    other = os.dup(lock)
    os.close(lock)
    assert record.is_locked(str(tmp_path))
    os.close(other)
    assert not record.is_locked(str(tmp_path))


def test_the_state_is_what_the_folder_says(tmp_path):
    folder = str(tmp_path)
    assert _state(tmp_path / "never") == Absent()
    lock = record.take_lock(folder)
    assert isinstance(_state(tmp_path), Running)
    os.close(lock)
    assert _state(tmp_path) == Absent()
    record.write(folder, record.HANDLE, {"since": 5.0})
    assert _state(tmp_path) == Lost()
    lock = record.take_lock(folder)
    assert _state(tmp_path) == Running(since=5.0)
    ended = {"at": 6.0, "code": 137, "signal": 9, "oom": True, "reason": "", "since": 5.0}
    record.write(folder, record.EXIT, ended)
    assert _state(tmp_path) == Exited(at=6.0, code=137, signal=9, out_of_memory=True, reason="", since=5.0)
    os.close(lock)


def between(monkeypatch, does):
    """What happens just after it was looked whether somebody holds the lock."""

    def is_not_locked(folder):
        does(folder)
        return False

    monkeypatch.setattr(record, "is_locked", is_not_locked)


def test_one_that_begins_between_two_looks_is_not_lost(tmp_path, monkeypatch):
    between(monkeypatch, lambda folder: record.write(folder, record.HANDLE, {"since": 5.0}))
    assert _state(tmp_path) == Absent()


@pytest.mark.parametrize("more", [{}, {"engine": "docker"}], ids=["sandbox", "engine"])
def test_one_that_is_removed_between_two_looks_is_there_no_more(tmp_path, monkeypatch, more):
    record.write(str(tmp_path), record.HANDLE, {"since": 5.0, **more})
    between(monkeypatch, lambda _: (tmp_path / record.HANDLE).unlink())
    assert _state(tmp_path) == Absent()
