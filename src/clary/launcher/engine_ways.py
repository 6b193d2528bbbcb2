"""The address at which an engine's container finds the API: a port of the gateway of the network that all share."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
import time
from typing import Callable, Mapping, Optional

from clary.launcher import relay
from clary.launcher.engine_networks import GATEWAY

_IP_FREEBIND = 15
_BACKLOG = 128
_PATIENCE = 60.0
_PAUSE = 0.05


class Entry:
    """Where one container finds Clary's API, or another server: a port of the gateway that answers it alone."""

    def __init__(self, port: int, serve: relay.Serve) -> None:
        """`port` is 0 at first, and after a crash what it was. Raises OSError where somebody else keeps it."""
        self._serve = serve
        self._address: Optional[str] = None
        self._known = threading.Event()
        self._listener = _listening(port)
        self.port = int(self._listener.getsockname()[1])
        relay.Acceptor(self._listener, self._admit)

    @property
    def place(self) -> str:
        """Its address and port, seen from the inside."""
        return f"{GATEWAY}:{self.port}"

    def close(self) -> None:
        """Nobody finds it any more; who has found it goes on."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # `close` alone does not wake who accepts
        self._listener.close()

    def open_to(self, address: str) -> None:
        """Whom to answer."""
        self._address = address
        self._known.set()

    def _admit(self, connection: socket.socket) -> None:
        """A container may ask before its engine has said which address it has: then it waits."""
        if self._known.wait(_PATIENCE) and connection.getpeername()[0] == self._address:
            self._serve(connection)


def _listening(port: int) -> socket.socket:
    """A keeper that was killed may still be on its way out, with the port in its hands: that is waited for."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        listener = socket.socket()
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)  # engines make the address with the first user
            listener.bind((GATEWAY, port))
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
        else:
            return listener


def translated(places: Mapping[str, str]) -> Callable[[str], str]:
    """Values of variables, with the places of entries instead of those on the container's own loopback."""

    def translate(value: str) -> str:
        for inner, place in places.items():
            value = value.replace(inner, place)
        return value

    return translate
