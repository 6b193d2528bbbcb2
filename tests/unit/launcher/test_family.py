"""All processes of a container stand still, and go on."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from clary.launcher import family, process
from tests.running import wait_until

SECONDS = 60
ID = "0123456789abcdef" * 4


def _states(pids):
    return {Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] for pid in pids}


def _family():
    parent = subprocess.Popen(["sh", "-c", "sleep 600 & sleep 600 & wait"])
    wait_until(lambda: len(process.descendants(parent.pid)) == 2, SECONDS, "it has children")
    return parent, [parent.pid, *process.descendants(parent.pid)]


def _end(parent, pids):
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    parent.wait()


@pytest.mark.parametrize("has_group", [True, False], ids=["group", "descendants"])
def test_a_container_of_an_engine_is_stopped_with_its_children_and_goes_on(tmp_path, monkeypatch, has_group):
    parent, pids = _family()
    (tmp_path / ID).mkdir()
    if has_group:
        (tmp_path / ID / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in pids))
    monkeypatch.setattr(family, "_groups", lambda _: iter(["/elsewhere", str(tmp_path / ID)]))
    try:
        found = family.Family(parent.pid, ID)
        assert found.members() == set(pids)
        assert found.held_bytes() > 0
        found.signal(signal.SIGSTOP)
        wait_until(lambda: _states(pids) == {"T"}, SECONDS, "all stand still")
        found.signal(signal.SIGCONT)
        wait_until(lambda: _states(pids) == {"S"}, SECONDS, "all go on")
    finally:
        _end(parent, pids)


@pytest.mark.parametrize("container", ["", "/", ID], ids=["none", "short", "another"])
def test_processes_that_are_of_no_such_container_are_left_alone(container):
    parent, pids = _family()
    try:
        found = family.Family(parent.pid, container)
        assert found.members() == set()
        found.signal(signal.SIGSTOP)
        assert "T" not in _states(pids)
    finally:
        _end(parent, pids)
