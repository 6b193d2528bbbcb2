"""What the edge's and control's processes have in common: their arguments, their log, their end."""

from __future__ import annotations

import argparse
import faulthandler
import gc
import logging
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass

from clary.errors import ClaryError
from clary.settings import Settings
from clary.supervisor.tether import Tether


@dataclass(frozen=True)
class Start:
    """What the supervisor hands to a process."""

    settings: Settings
    sockets: list[socket.socket]
    tether: Tether
    names: socket.socket | None = None
    """Where TLS is spoken to engines that ask for the registry, if anywhere."""
    secure: socket.socket | None = None
    """Where TLS is spoken to clients, if anywhere."""

    def ready(self) -> None:
        """It answers from now on."""
        faulthandler.cancel_dump_traceback_later()
        self.tether.ready()

    async def tell(self) -> None:
        """`ready`, for an event loop's server."""
        self.ready()


def run(name: str, work: Callable[[Start], None]) -> None:
    """Do a process's work until it ends; what a person can mend is said to the supervisor."""
    gc.freeze()  # what was imported stays
    gc.enable()  # `clary.app` has put it off
    start = _start(name)
    try:
        work(start)
    except ClaryError as error:
        start.tether.failed(str(error))
        sys.exit(1)


def _start(name: str) -> Start:
    parser = argparse.ArgumentParser(prog=f"python -m clary.app.{name}")
    parser.add_argument("--settings", required=True, help="the settings as JSON")
    parser.add_argument("--listen-fd", type=int, action="append", required=True, help="an inherited socket")
    parser.add_argument("--names-fd", type=int, help="an inherited socket for TLS, by the registry's certificate")
    parser.add_argument("--secure-fd", type=int, help="an inherited socket for TLS, by the clients' certificate")
    parser.add_argument("--tether-fd", type=int, required=True, help="the line to the supervisor")
    said = parser.parse_args()
    _log(name)
    sockets = [_inherited(descriptor) for descriptor in said.listen_fd]
    names, secure = (None if each is None else _inherited(each) for each in (said.names_fd, said.secure_fd))
    return Start(Settings.loads(said.settings), sockets, Tether(said.tether_fd), names, secure)


def _inherited(descriptor: int) -> socket.socket:
    inherited = socket.socket(fileno=descriptor)
    inherited.set_inheritable(False)  # not to be handed on: a child that lives longer would keep the port
    return inherited


def _log(name: str) -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format=f"%(asctime)s {name} %(levelname)s %(name)s: %(message)s",
    )
