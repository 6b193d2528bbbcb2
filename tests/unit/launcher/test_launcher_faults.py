"""A launcher that cannot start what it is asked for keeps nothing of it."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from clary.compute import record
from clary.launcher import server

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
