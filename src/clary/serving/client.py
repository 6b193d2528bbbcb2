"""An HTTP/1.1 client for model servers, over sockets that a `Dial` connects: pooled, kept alive, nothing more.

Why not a library's: a connection is dialled through a container's shim, and the time spent here is part of every
prediction (RFC 9112 for the framing; the parser is httptools').
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import cast

import httptools

IDLE_SECONDS = 1.0
"""An idle connection is dropped then: shorter than any model server's keep-alive (gevent's 2 s is the shortest)."""

RESPONSE_BYTES = 64 * 2**20
"""A larger answer is broken off: containers are not trusted with the edge's memory."""

BODILESS_BYTES = 2**18
"""More on end of what is no body, such as headers without an end, is broken off for the same reason."""

_BODYLESS = frozenset({204, 304})


class NotSent(Exception):
    """The container cannot be reached; nothing of the request has left."""


class Broken(Exception):
    """The connection ended, or spoke no HTTP, before the whole answer was there."""


class AnswerTooLarge(Broken):
    """The answer is larger than RESPONSE_BYTES, or BODILESS_BYTES of it brought nothing of a body."""


@dataclass(frozen=True)
class Request:
    """What is sent; `headers` without framing headers, which the client adds."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def head(self) -> bytes:
        """The request line and all headers. Raises ValueError where a header would break out of its line."""
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: localhost:8080"]
        lines.extend(f"{name}: {value}" for name, value in self.headers.items())
        if self.body or self.method == "POST":
            lines.append(f"Content-Length: {len(self.body)}")
        text = "\r\n".join(lines)
        if text.count("\r") != len(lines) - 1 or text.count("\n") != len(lines) - 1 or "\0" in text:
            raise ValueError("a header value holds a line break")
        return text.encode("utf-8") + b"\r\n\r\n"


@dataclass(frozen=True)
class Response:
    """What came back; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, on_lost: Callable[[Connection], None]) -> None:
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Response] | None = None
        self.idle_since = 0.0
        self.reusable = True

    async def ask(self, head: bytes, body: bytes) -> Response:
        """The answer to one request. Raises Broken; a cancelled request closes the connection."""
        if self._transport is None or self._transport.is_closing():
            raise NotSent("the connection was closed")
        loop = asyncio.get_running_loop()
        self._begin()
        self._answer = loop.create_future()
        self._transport.writelines((head, body) if body else (head,))
        try:
            return await self._answer
        except BaseException:
            self.close()
            raise
        finally:
            self._answer = None
            self.idle_since = loop.time()

    def close(self) -> None:
        """At once; what was being asked is Broken."""
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._pieces: list[bytes] = []
        self._size = 0
        self._bodiless = 0
        self._until_close = False

    # asyncio.Protocol
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        if self._answer is None or self._answer.done():
            self.close()  # words out of turn: nothing on this connection can be trusted any more
            return
        try:
            self._bodiless += len(data)
            self._parser.feed_data(data)
            self._check_progress()
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, AnswerTooLarge) as error:
            cause = error.__context__ if isinstance(error.__context__, AnswerTooLarge) else error
            self._fail(cause if isinstance(cause, Broken) else Broken(f"no HTTP answer: {error}"))
            self.close()

    def _check_progress(self) -> None:
        """The parser holds a header until its end, and we hold all of them."""
        if self._bodiless > BODILESS_BYTES:
            raise AnswerTooLarge(f"{BODILESS_BYTES} bytes of the answer held nothing of its body")

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self.reusable = False
        if self._answer is not None and not self._answer.done():
            if self._until_close and exc is None:
                self.on_message_complete()
            else:
                self._fail(Broken(str(exc or "the connection was closed without a whole answer")))
        self._on_lost(self)

    def _fail(self, error: Broken) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    # httptools' callbacks
    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        self._headers[name.decode("latin-1").lower()] = value.decode("utf-8", "replace")

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        framed = "content-length" in self._headers or "transfer-encoding" in self._headers
        self._until_close = not framed and self._parser.get_status_code() not in _BODYLESS

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self._bodiless = 0
        self._size += len(body)
        if self._size > RESPONSE_BYTES:
            raise AnswerTooLarge(f"the answer is larger than {RESPONSE_BYTES} bytes")
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        status = self._parser.get_status_code()
        if status < 200:
            self._headers = {}
            return
        self.reusable = self.reusable and not self._until_close and self._parser.should_keep_alive()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Response(status, self._headers, b"".join(self._pieces)))


class Pool:
    """The connections to one container."""

    def __init__(self, container: str, dial: Callable[[str], socket.socket], threads: ThreadPoolExecutor) -> None:
        self._container = container
        self._dial = dial
        self._threads = threads
        self._idle: list[Connection] = []

    async def ask(self, request: Request) -> Response:
        """The container's answer. Raises NotSent, Broken, and ValueError for a header that cannot be sent."""
        head = request.head()
        connection = self._pop() or await self._connect()
        try:
            answer = await connection.ask(head, request.body)
        except NotSent:  # closed by the server between two requests
            connection = await self._connect()
            answer = await connection.ask(head, request.body)
        if connection.reusable:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    async def reachable(self) -> bool:
        """Whether something listens there now."""
        try:
            (await self._connect()).close()
        except NotSent:
            return False
        return True

    def prune(self) -> None:
        """Close what has been idle for long."""
        limit = asyncio.get_running_loop().time() - IDLE_SECONDS
        kept = [connection for connection in self._idle if connection.idle_since > limit]
        stale, self._idle = set(self._idle) - set(kept), kept
        for connection in stale:
            connection.close()

    def close(self) -> None:
        """Close every idle connection."""
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _pop(self) -> Connection | None:
        limit = asyncio.get_running_loop().time() - IDLE_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable and connection.idle_since > limit:
                return connection
            connection.close()
        return None

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            sock = await loop.run_in_executor(self._threads, self._dial, self._container)
        except OSError as error:
            raise NotSent(f"container {self._container}: {error}") from error
        _, connection = await loop.create_connection(lambda: Connection(self._forget), sock=sock)
        return connection

    def _forget(self, connection: Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
