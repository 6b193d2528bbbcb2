"""The edge's event loop: an application on inherited sockets, until it is told to stop or is left alone."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import ssl
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

import uvloop

from clary.edge.connection import Application, Connection, Hall, Passage
from clary.settings import Limits

DRAIN = 5.0
"""Seconds for requests in progress when the edge is told to end."""

AGAIN_SECONDS = 1.0
"""After which what runs beside is begun again where a fault has ended it; twice as long each time."""

_LONGEST_PAUSE = 32.0

_MADE = 10_000
"""Objects that a collection waits for. A request makes hundreds, hardly one of them in a cycle: at Python's 700,
collections take 5 % of its time."""

Beside = Callable[[], Coroutine[Any, Any, None]]
Secure = tuple[socket.socket, ssl.SSLContext]
"""A listening socket at which TLS is spoken, and with which certificate."""

_log = logging.getLogger(__name__)


class EdgeServer:
    """`serve(sockets)` answers until SIGTERM, or until `alone` becomes readable; `beside` runs as long."""

    def __init__(
        self,
        application: Application,
        limits: Limits,
        alone: int,
        beside: Sequence[Beside] = (),
        secure: Sequence[Secure] = (),
        passage: Passage | None = None,
    ) -> None:
        self.hall = Hall(application, limits.header_seconds, limits.connections, passage)
        """Who is there."""
        self._alone = alone
        self._secure = secure
        self._beside = beside
        self._servers: list[asyncio.Server] = []
        self._stopped = asyncio.Event()

    async def serve(self, sockets: Sequence[socket.socket]) -> None:
        """Returns when all that was asked is answered, or had its time."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            with suppress(RuntimeError, ValueError):  # signals are for the main thread
                loop.add_signal_handler(each, self._stopped.set)
        await self._listen(loop, sockets)
        gc.collect()
        gc.freeze()  # what is here now stays: collections need not look at it again
        gc.set_threshold(_MADE, *gc.get_threshold()[1:])
        tasks = [loop.create_task(_kept(work)) for work in (self._sweep, *self._beside)]
        await self._stopped.wait()
        await self._leave()
        for task in tasks:
            task.cancel()

    async def _listen(self, loop: asyncio.AbstractEventLoop, sockets: Sequence[socket.socket]) -> None:
        """On TCP and Unix sockets alike."""
        if self.hall.passage is not None:
            self.hall.passage.attach(self.hall)
        for listening in sockets:
            kind = loop.create_unix_server if listening.family == socket.AF_UNIX else loop.create_server
            self._servers.append(await kind(self._connection, sock=listening))
        for listening, context in self._secure:
            self._servers.append(await loop.create_server(self._connection, sock=listening, ssl=context))
        loop.add_reader(self._alone, self._left_alone)

    def _connection(self) -> Connection:
        return Connection(self.hall)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.hall.sweep()

    def _left_alone(self) -> None:
        """The supervisor is gone: whoever comes next binds the port anew, so let go of it now; then drain."""
        asyncio.get_running_loop().remove_reader(self._alone)
        self._close()
        self._stopped.set()

    def _close(self) -> None:
        for server in self._servers:
            server.close()

    async def _leave(self) -> None:
        """Answer what is in progress, take nothing new."""
        self._close()
        self.hall.close()
        try:
            async with asyncio.timeout(DRAIN):
                await self.hall.left.wait()
        except TimeoutError:
            _log.warning("%d requests were not answered in time", len(self.hall.tasks))
            for task in list(self.hall.tasks):
                task.cancel()


async def _kept(work: Beside) -> None:
    """Until it is done: a fault of a moment, as no free descriptor, must not end what nobody would miss at once."""
    pause = AGAIN_SECONDS
    while True:
        try:
            return await work()
        except Exception:
            _log.exception("what runs beside requests had a fault; it goes on in %.0f s", pause)
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def serve(
    application: Application,
    sockets: Sequence[socket.socket],
    limits: Limits,
    alone: int,
    beside: Sequence[Beside] = (),
    secure: Sequence[Secure] = (),
    passage: Passage | None = None,
) -> None:
    """Answer on `sockets`, and `secure` by TLS, and whoever comes by the `passage`; returns when all is answered after
    a SIGTERM, or after `alone` has become readable."""
    uvloop.run(EdgeServer(application, limits, alone, beside, secure, passage).serve(sockets))
