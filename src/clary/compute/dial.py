"""Reaching a container's port: its shim hands out sockets that were made inside its network, and we connect them here.

A socket belongs to the network namespace it was made in, whoever holds it; so `127.0.0.1` is the container's own. An
engine's container has an address that this host reaches: its keeper says it.
"""

from __future__ import annotations

import asyncio
import errno
import os
import select
import socket
from pathlib import Path

from clary.compute import shims
from clary.compute.base import folder

PATIENCE = 5.0
"""Seconds for the shim's answer. It has little else to do, but a machine may have: what is routed to is not lost for a
moment in which the shim was given no processor."""

_CONNECT_SECONDS = 1.0
"""For the kernel's: it waits for nobody but a program that accepts no connection any more."""


class SandboxDial:
    """Implements `compute.base.Dial` for containers below `containers_dir`; safe in threads."""

    def __init__(self, containers_dir: Path, patience: float = PATIENCE) -> None:
        """Who only wants to know whether a container answers at this moment has less `patience`: one that starts, or is
        stopped, answers nobody."""
        self._containers_dir = containers_dir
        self._patience = patience

    def __call__(self, container_id: str) -> socket.socket:
        """A non-blocking socket connected to the container's port, in some 0.1 ms.

        Raises ConnectionRefusedError while nothing listens there, FileNotFoundError where the container is gone.
        """
        fresh, address = self._fetch(container_id)
        if address is None:
            return fresh
        try:
            if fresh.connect_ex(address) == errno.EINPROGRESS:
                _wait_connected(fresh)
            _check(fresh)
        except BaseException:
            fresh.close()
            raise
        return fresh

    async def open(self, container_id: str) -> socket.socket:
        """As a call, without holding the event loop up while the container is slow to answer."""
        return await asyncio.to_thread(self, container_id)

    def _fetch(self, container_id: str) -> tuple[socket.socket, tuple[str, int] | None]:
        """An unconnected socket of the container's network, and what to connect it to; None where it is connected."""
        with shims.connect(folder(self._containers_dir, container_id), self._patience) as shim:
            shims.ask(shim, {"op": "dial"})
            try:
                message, descriptors = shims.answer(shim)
            except TimeoutError as silent:
                raise ConnectionRefusedError(f"container {container_id} is not ready") from silent
        if not descriptors:
            raise ConnectionRefusedError(f"container {container_id} listens nowhere yet")
        fresh = socket.socket(fileno=descriptors[0])
        fresh.setblocking(False)
        if message.get("connected"):
            return fresh, None
        return fresh, (str(message.get("host", "127.0.0.1")), int(message["port"]))


def _wait_connected(sock: socket.socket) -> None:
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    if not poll.poll(_CONNECT_SECONDS * 1000):
        raise ConnectionRefusedError("the container does not accept connections")


def _check(sock: socket.socket) -> None:
    error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise ConnectionRefusedError(error, os.strerror(error))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
