"""Model servers that are really started: raw sockets, so that each fault of a server can be told exactly."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def read_request(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head and body of one request; raises IncompleteReadError at the end of the connection."""
    head = await reader.readuntil(b"\r\n\r\n")
    size = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    return head, await reader.readexactly(size)


class Servers:
    """Containers by id, each a listening socket on loopback; `dial` is what a backend's dial would be."""

    def __init__(self) -> None:
        self.ports: dict[str, int] = {}
        self.dialled: list[str] = []
        self._servers: dict[str, asyncio.Server] = {}
        self._writers: dict[str, list[asyncio.StreamWriter]] = {}

    async def start(self, container: str, handler: Handler) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._writers.setdefault(container, []).append(writer)
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await handler(reader, writer)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self._servers[container] = server
        self.ports[container] = server.sockets[0].getsockname()[1]

    def kill(self, container: str) -> None:
        self._servers[container].close()
        for writer in self._writers.get(container, []):
            writer.transport.abort()

    def dial(self, container: str) -> socket.socket:
        self.dialled.append(container)
        if container not in self.ports:
            raise FileNotFoundError(container)
        connected = socket.create_connection(("127.0.0.1", self.ports[container]))
        connected.setblocking(False)
        return connected

    async def close(self) -> None:
        for container in self._servers:
            self.kill(container)


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    started = Servers()
    yield started
    await started.close()


def says(answer: bytes) -> Handler:
    """A server that gives the same answer to each request of a connection."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            writer.write(answer)

    return handle


def ok(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
