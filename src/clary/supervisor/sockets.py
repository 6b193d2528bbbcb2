"""The listening sockets, bound once by the supervisor and inherited: while a process is restarted, callers queue."""

from __future__ import annotations

import errno
import select
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from clary.addresses import unix_address
from clary.errors import ClaryError
from clary.settings import Settings

_BACKLOG = 1024
_PATIENCE = 6.0  # the processes of a killed supervisor let go of the port within a moment of noticing
_PAUSE = 0.05


@dataclass(frozen=True)
class Sockets:
    """What Clary listens on."""

    tcp: socket.socket
    api: socket.socket
    """The same as `tcp`, for containers."""
    control: socket.socket
    launcher: socket.socket

    def close(self) -> None:
        """Refuse new connections from now on."""
        for listening in (self.tcp, self.api, self.control, self.launcher):
            listening.close()


def bind(settings: Settings, *, was_killed: bool) -> Sockets:
    """All sockets of one Clary. `was_killed`: a former one may hold the port a moment longer; wait for it.

    Raises ClaryError where the port is taken.
    """
    run = settings.run_dir
    run.mkdir(mode=0o700, parents=True, exist_ok=True)
    tcp = bind_tcp(settings.host, settings.port, patience=_PATIENCE if was_killed else 0.0)
    return Sockets(tcp, *(bind_unix(run / f"{name}.sock") for name in ("api", "control", "launcher")))


def bind_tcp(host: str, port: int, *, patience: float = 0.0) -> socket.socket:
    """A listening TCP socket; tries for `patience` seconds while the port is taken. Raises ClaryError."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return _listen_tcp(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() >= deadline:
                raise _cannot_bind(host, port, error) from error
        select.select([], [], [], _PAUSE)


def bind_unix(path: Path) -> socket.socket:
    """A listening Unix socket at `path`, in place of one that a former process left. Only this user may connect."""
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with unix_address(path) as address:
        listening.bind(address)
    path.chmod(0o600)
    listening.listen(_BACKLOG)
    return listening


def _listen_tcp(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def _cannot_bind(host: str, port: int, error: OSError) -> ClaryError:
    if error.errno == errno.EADDRINUSE:
        return ClaryError(f"Port {port} is taken by another program.", "Choose another with `clary up --port PORT`.")
    if error.errno == errno.EACCES:
        return ClaryError(f"Port {port} needs rights that you do not have.", "Choose one above 1023 with `--port`.")
    return ClaryError(f"Cannot listen on {host}:{port}: {error.strerror}.")
