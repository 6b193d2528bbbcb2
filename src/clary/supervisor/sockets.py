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
_PATIENCE = 20.0  # the processes of a killed supervisor let go of the port as soon as they notice; one may be starting
_PAUSE = 0.05


@dataclass(frozen=True)
class Sockets:
    """What Clary listens on."""

    tcp: socket.socket
    api: socket.socket
    """The same as `tcp`, for containers."""
    control: socket.socket
    launcher: socket.socket
    names: socket.socket | None = None
    """For TLS, where the registry's AWS names lead; None where `clary images setup` was not run."""

    secure: socket.socket | None = None
    """For TLS, where clients are told to ask; None without `--tls-port`."""

    def close(self) -> None:
        """Refuse new connections from now on."""
        for listening in (self.tcp, self.api, self.control, self.launcher, self.names, self.secure):
            if listening is not None:
                listening.close()


def bind(settings: Settings, *, was_killed: bool) -> Sockets:
    """All sockets of one Clary. `was_killed`: a former one may hold the port a moment longer; wait for it.

    Raises ClaryError where the port is taken.
    """
    run = settings.run_dir
    run.mkdir(mode=0o700, parents=True, exist_ok=True)
    patience = _PATIENCE if was_killed else 0.0
    tcp, names = bind_tcp(settings.host, settings.port, patience=patience), bind_names(settings, patience)
    api, control, launcher = (bind_unix(run / f"{name}.sock") for name in ("api", "control", "launcher"))
    return Sockets(tcp, api, control, launcher, names, bind_secure(settings, patience))


def bind_tcp(host: str, port: int, *, patience: float = 0.0) -> socket.socket:
    """A listening TCP socket; tries for `patience` seconds while the port is taken. Raises ClaryError."""
    try:
        return _listen_patiently(host, port, patience)
    except OSError as error:
        raise _cannot_bind(host, port, error) from error


def bind_secure(settings: Settings, patience: float) -> socket.socket | None:
    """Where TLS is spoken to clients. Raises ClaryError."""
    if settings.tls_port is None:
        return None
    return bind_tcp(settings.host, settings.tls_port, patience=patience)


def bind_names(settings: Settings, patience: float) -> socket.socket | None:
    """Where the registry's AWS names lead, as `clary images setup` has written it down. Raises ClaryError."""
    try:
        address = (settings.tls_dir / "address").read_text().strip()
    except FileNotFoundError:
        return None
    host, _, port = address.rpartition(":")
    try:
        return _listen_patiently(host, int(port), patience)
    except OSError as error:
        raise ClaryError(
            f"Cannot listen at {address}, where `clary images setup` has the registry's names lead: {error.strerror}.",
            "Run it again as root, or take it back with `clary images setup --undo`.",
        ) from error


def _listen_patiently(host: str, port: int, patience: float) -> socket.socket:
    deadline = time.monotonic() + patience
    while True:
        try:
            return _listen_tcp(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() >= deadline:
                raise
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
