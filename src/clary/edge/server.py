"""The edge's event loop: an application on inherited sockets, until it is told to stop or is left alone."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping, Sequence
from typing import Any

import uvicorn

from clary.edge.protocol import GuardedProtocol
from clary.settings import Limits

DRAIN = 5
"""Seconds for requests in progress when the edge is told to end."""

KEEP_ALIVE = 75
"""Seconds that an idle connection is kept: above the 60 s after which SDKs' pools let go."""

Beside = Callable[[], Coroutine[Any, Any, None]]
Secure = tuple[socket.socket, ssl.SSLContext]
"""A listening socket at which TLS is spoken, and with which certificate."""
Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Application = Callable[[Scope, Callable[[], Awaitable[Event]], Callable[[Event], Awaitable[None]]], Awaitable[None]]


class EdgeServer(uvicorn.Server):
    """`serve(sockets=…)` answers until SIGTERM, or until `alone` becomes readable; `beside` runs as long."""

    def __init__(
        self,
        application: Application,
        limits: Limits,
        alone: int,
        beside: Sequence[Beside] = (),
        secure: Secure | None = None,
    ) -> None:
        super().__init__(_config(application, limits))
        self._alone = alone
        self._secure = secure
        self._beside = beside
        self._tasks: list[asyncio.Task[None]] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen on TCP and Unix sockets alike, then say so."""
        loop = asyncio.get_running_loop()
        self.servers = [await self._listen(loop, listening) for listening in sockets or []]
        if self._secure is not None:
            listening, context = self._secure
            self.servers.append(await loop.create_server(self._connection, sock=listening, ssl=context))
        loop.add_reader(self._alone, self._left_alone)
        gc.collect()
        gc.freeze()  # what is here now stays: collections need not look at it again
        self._tasks = [loop.create_task(work()) for work in self._beside]
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what is in progress, take nothing new."""
        await super().shutdown(sockets)
        for task in self._tasks:
            task.cancel()

    async def _listen(self, loop: asyncio.AbstractEventLoop, listening: socket.socket) -> asyncio.Server:
        if listening.family == socket.AF_UNIX:
            return await loop.create_unix_server(self._connection, sock=listening)
        return await loop.create_server(self._connection, sock=listening)

    def _connection(self) -> GuardedProtocol:
        return GuardedProtocol(config=self.config, server_state=self.server_state, app_state={})

    def _left_alone(self) -> None:
        """The supervisor is gone: whoever comes next binds the port anew, so let go of it now; then drain."""
        asyncio.get_running_loop().remove_reader(self._alone)
        for server in self.servers:
            server.close()
        self.should_exit = True


def serve(
    application: Application,
    sockets: list[socket.socket],
    limits: Limits,
    alone: int,
    beside: Sequence[Beside] = (),
    secure: Secure | None = None,
) -> None:
    """Answer on `sockets`, and `secure` by TLS; returns when all is answered after a SIGTERM, or after `alone` has
    become readable."""
    GuardedProtocol.head_seconds = limits.header_seconds
    GuardedProtocol.most_connections = limits.connections
    EdgeServer(application, limits, alone, beside, secure).run(sockets=sockets)


def _config(application: Application, limits: Limits) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=GuardedProtocol,
        ws="none",
        loop="uvloop",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=DRAIN,
    )
