"""A launcher that cannot start what it is asked for keeps nothing of it."""

from __future__ import annotations

import json
import os
import signal
import socket
from pathlib import Path

import pytest

from clary.compute import record
from clary.launcher import server, shim

LAUNCH = {"limits": {"cpus": None, "gpus": 0}, "mounts": [], "warm": None}


class NoParents:
    def start(self, program, start):
        return False


@pytest.fixture
def launcher(tmp_path):
    (tmp_path / "c1").mkdir()
    record.write(str(tmp_path / "c1"), record.LAUNCH, LAUNCH)
    with socket.socket(socket.AF_UNIX) as listener:
        yield server.Launcher(listener, str(tmp_path), "", NoParents(), None)


def _open():
    return len(list(Path("/proc/self/fd").iterdir()))


def _fails(*_):
    raise BlockingIOError(11, "Resource temporarily unavailable")


@pytest.mark.parametrize(("place", "name"), [(os, "fork"), (server, "listen")])
def test_a_start_that_fails_leaves_no_lock(launcher, tmp_path, monkeypatch, place, name):
    before = _open()
    monkeypatch.setattr(place, name, _fails)
    answer = launcher._carry_out(json.dumps({"op": "start", "id": "c1"}).encode())
    assert "temporarily unavailable" in answer["error"]
    assert not record.is_locked(str(tmp_path / "c1"))
    assert _open() == before


def test_a_container_that_cannot_be_begun_keeps_nobody_waiting():
    """Its first process waits for its shim, and the shim for that process's end."""
    half = shim.Shim.__new__(shim.Shim)
    reading, writing = os.pipe()
    half._child = os.fork()
    if half._child == 0:
        os.read(reading, 1)
        os._exit(0)
    half._give_up(OSError("no group for it"))
    assert os.waitpid(half._child, 0)[1] == signal.SIGKILL
    assert (half._failed, half._over) == ("no group for it", True)
    os.close(reading), os.close(writing)
