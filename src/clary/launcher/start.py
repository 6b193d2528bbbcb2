"""A container that was accepted by the launcher, on its way to whoever forks its shim."""

# ruff: noqa: PTH118
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import os
import signal
import socket
from typing import NamedTuple

from clary.compute import record
from clary.launcher import process
from clary.launcher.shares import Share


class Start(NamedTuple):
    """Its folder, lock and socket, and what of the machine it has."""

    folder: str
    lock: int
    listener: socket.socket
    share: Share

    def leave_the_launcher(self) -> None:
        """This process, forked for it, is the launcher's no more: a session, signals and a log of its own, and no other
        descriptors."""
        os.setsid()
        os.umask(0o022)
        process.default_signals()
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        nowhere = os.open(os.devnull, os.O_RDWR)
        own_log = os.open(os.path.join(self.folder, record.SHIM_LOG), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(nowhere, 0)
        os.dup2(nowhere, 1)
        os.dup2(own_log, 2)
        process.keep_only([self.lock, self.listener.fileno()])

    def close(self) -> None:
        """Somebody else holds it now."""
        os.close(self.lock)
        self.listener.close()
