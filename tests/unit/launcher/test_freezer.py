"""What is said over a freezer's line."""

from __future__ import annotations

import signal
import socket

from clary.compute.launch import GO_ON, STOP_ALL
from clary.launcher import freezer


def test_what_was_said_last_holds_and_the_end_of_the_line_lets_go():
    ours, theirs = socket.socketpair()
    told = []
    with theirs:
        with ours:
            ours.sendall(STOP_ALL + GO_ON + STOP_ALL)
            assert freezer.obey(theirs, told.append)
        assert not freezer.obey(theirs, told.append)
    assert told == [signal.SIGSTOP, signal.SIGCONT]
