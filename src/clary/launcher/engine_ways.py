"""Between Clary and an engine's container: the networks it is in, and the address at which it finds the API.

`clary` is a network of the engine for all containers that are not isolated. Its gateway, this host, has the address
169.254.170.2: SDKs ask a container's credentials without TLS at their own loopback and there, as on Amazon ECS
(https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html), and nowhere else.
"""

# ruff: noqa: PTH119, PTH120
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
import time
from typing import Any, Callable, Dict, Mapping, Optional

from clary.compute import record
from clary.compute.docker_api import Engine
from clary.compute.launch import Launch
from clary.launcher import relay

SHARED = "clary"
_SUBNET = "169.254.170.0/24"
_GATEWAY = "169.254.170.2"
_IP_FREEBIND = 15
_BACKLOG = 128
_PATIENCE = 60.0
_PAUSE = 0.05

LABEL = "clary"


def name_of(folder: str) -> str:
    """What a container is called in the engine, and the network that it alone is in."""
    return record.prefix(os.path.dirname(folder)) + os.path.basename(folder)


def network_of(launch: Launch, folder: str) -> str:
    """Which network it is in; one that is isolated and can be dialled has its own, without a way out."""
    if launch["api"]:
        return SHARED
    return "none" if launch["port"] is None else name_of(folder)


def make(engine: Engine, launch: Launch, folder: str) -> None:
    """Its network is there afterwards."""
    name = network_of(launch, folder)
    if name != "none" and engine.network(name) is None:
        engine.make_network(_shared() if name == SHARED else _internal(name))


def _shared() -> Dict[str, Any]:
    """Containers that have nothing to do with one another do not meet there, where the engine knows that option."""
    return {
        "Name": SHARED,
        "Driver": "bridge",
        "CheckDuplicate": True,
        "IPAM": {"Config": [{"Subnet": _SUBNET, "Gateway": _GATEWAY}]},
        "Options": {"com.docker.network.bridge.enable_icc": "false"},
        "Labels": {LABEL: SHARED},
    }


def _internal(name: str) -> Dict[str, Any]:
    return {"Name": name, "Driver": "bridge", "CheckDuplicate": True, "Internal": True, "Labels": {LABEL: name}}


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
        return f"{_GATEWAY}:{self.port}"

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
            listener.bind((_GATEWAY, port))
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
