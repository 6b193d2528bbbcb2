"""Stopping all of a container, and letting it go on, at the word of whoever holds the other end of a line: an execution
environment of a function runs only while it is asked.

By signals: the freezers of cgroups need rights that not everybody has, and what is stopped by them cannot be killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from typing import Callable

from clary.compute.launch import STOP_ALL

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
