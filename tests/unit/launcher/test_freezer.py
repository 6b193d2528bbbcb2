"""All processes of a container stand still, and go on."""

from __future__ import annotations

import signal
import socket
import subprocess
from pathlib import Path

from clary.compute.launch import GO_ON, STOP_ALL
from clary.launcher import freezer, process
from tests.running import wait_until

SECONDS = 20


def _states(pids):
    return {Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] for pid in pids}


def _family():
    parent = subprocess.Popen(["sh", "-c", "sleep 600 & sleep 600 & wait"])
    wait_until(lambda: len(process.descendants(parent.pid)) == 2, SECONDS, "it has children")
    return parent, [parent.pid, *process.descendants(parent.pid)]


def _end(parent, pids):
    for pid in pids:
        freezer.Family._send({pid}, signal.SIGKILL)
    parent.wait()


def test_a_container_of_an_engine_is_stopped_with_its_children_and_goes_on():
    parent, pids = _family()
    try:
        family = freezer.Family(parent.pid, "/")  # of every control group
        family.signal(signal.SIGSTOP)
        wait_until(lambda: _states(pids) == {"T"}, SECONDS, "all stand still")
        family.signal(signal.SIGCONT)
        wait_until(lambda: _states(pids) == {"S"}, SECONDS, "all go on")
    finally:
        _end(parent, pids)


def test_a_number_that_is_of_no_such_container_is_left_alone():
    parent, pids = _family()
    try:
        for container in ("", "0123456789abcdef"):
            freezer.Family(parent.pid, container).signal(signal.SIGSTOP)
        assert _states(pids) == {"S"}
    finally:
        _end(parent, pids)


def test_what_was_said_last_holds_and_the_end_of_the_line_lets_go():
    ours, theirs = socket.socketpair()
    told = []
    with theirs:
        with ours:
            ours.sendall(STOP_ALL + GO_ON + STOP_ALL)
            assert freezer.obey(theirs, told.append)
        assert not freezer.obey(theirs, told.append)
    assert told == [signal.SIGSTOP, signal.SIGCONT]
