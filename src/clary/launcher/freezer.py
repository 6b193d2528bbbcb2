"""Stopping all of a container, and letting it go on, at the word of whoever holds the other end of a line: an execution
environment of a function runs only while it is asked.

By signals: the freezers of cgroups need rights that not everybody has, and what is stopped by them cannot be killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from typing import Callable, Set

from clary.compute.launch import STOP_ALL
from clary.launcher import process

_MOST = 64

Signal = Callable[[int], None]
"""Sends a signal to everything inside."""


def obey(line: socket.socket, send: Signal) -> bool:
    """What was said last; False at the end of the line, when everything goes on and can no more be stopped by it."""
    said = line.recv(_MOST)
    send(signal.SIGSTOP if said[-1:] == STOP_ALL else signal.SIGCONT)
    return bool(said)


def to_all_others(number: int) -> None:
    """To all processes of this PID namespace but this one, its PID 1; the kernel overlooks none."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, number)


class Family:
    """All processes of an engine's container: `pid`, which must be of the container with the id `container`, and its
    descendants. An engine elsewhere tells numbers of another machine's: those are left alone."""

    def __init__(self, pid: int, container: str) -> None:
        self._pid = pid
        self._container = container
        self._stopped: Set[int] = set()

    def signal(self, number: int) -> None:
        """SIGSTOP to all of them, until there are no more; or SIGCONT to those that were stopped."""
        if number == signal.SIGSTOP and self._is_ours():
            fresh = {self._pid}
            while fresh:
                self._send(fresh, number)
                self._stopped |= fresh
                fresh = set(process.descendants(self._pid)) - self._stopped
        elif number == signal.SIGCONT:
            stopped, self._stopped = self._stopped, set()
            self._send(stopped, number)

    @staticmethod
    def _send(pids: Set[int], number: int) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)

    def _is_ours(self) -> bool:
        try:
            with open("/proc/{}/cgroup".format(self._pid), encoding="ascii") as file:  # noqa: PTH123
                return bool(self._container) and self._container in file.read()
        except OSError:
            return False
