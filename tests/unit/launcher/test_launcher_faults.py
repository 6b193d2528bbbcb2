"""A launcher that cannot start what it is asked for keeps nothing of it."""

from __future__ import annotations

import json
import os
import signal
import socket
from pathlib import Path

import pytest

from clary.compute import record
from clary.launcher import messages, server, shim
from clary.launcher.guards import Verdict

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


def _waiting(reading, *writing):
    """A process that ends by itself when nobody could let it go on any more."""
    pid = os.fork()
    if pid == 0:
        for each in writing:
            os.close(each)
        os.read(reading, 1)
        os._exit(0)
    return pid


def test_one_that_is_killed_before_its_first_process_is_known_ends_with_it():
    """The child that makes it is left alone: nobody else can say who it is."""
    half = shim.Shim.__new__(shim.Shim)
    half._launch, half._let_go, half._init, half._verdict = {"confined": True}, True, None, None
    half._asked_to_kill = half._killed = False
    half._channel, theirs = messages.pair()
    (child_waits, lets_child), (init_waits, lets_init) = os.pipe(), os.pipe()
    init = _waiting(init_waits, lets_init, lets_child)
    half._child = _waiting(child_waits, lets_init, lets_child)
    half.end(Verdict(""))
    assert os.waitid(os.P_PID, half._child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    os.close(lets_child)
    half._know_init({"init": init}, [])
    os.close(lets_init)
    assert os.waitpid(init, 0)[1] == signal.SIGKILL
    for each in (half._channel, theirs):
        each.close()
    os.close(child_waits), os.close(init_waits)
