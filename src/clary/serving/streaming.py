"""One request whose answer is read as it comes, on a connection of its own: what is behind a long answer on a shared
one would wait for its end.

No faster than whoever reads it: the connection stands still while HELD_BYTES wait to be read.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

import httptools

from clary.serving.client import BODILESS_BYTES, AnswerTooLarge, Body, Broken, NotSent, Pool, Request

HELD_BYTES = 2**18
"""Of one answer; more of it stays in the container."""

WHOLE_BYTES = 2**20
"""An answer that says how long it is, and is not longer, is one part."""

STREAM = "x-clary-stream"
"""Tells Clary's own model servers that what a script yields may leave as it comes (`toolkit/server/streaming.py`)."""


class Stream(asyncio.Protocol):
    """One connection, one request, one answer."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._changed = asyncio.Event()
        self._parts: deque[bytes] = deque()
        self._held = 0
        self._bodiless = 0
        self._answers = False
        """The head of the answer is there."""
        self._ended = False
        self._broken: Broken | None = None
        self._paused = False

    async def ask(self, head: bytes, body: Body) -> None:
        """Returns when status and headers are there. Raises NotSent, Broken."""
        if self._transport is None or self._transport.is_closing():
            raise NotSent("the connection was closed")
        self._transport.writelines((head, body) if body else (head,))
        await self._until(lambda: self._answers)

    async def part(self) -> bytes:
        """The next part, as the container sent it; empty at the end. Raises Broken."""
        await self._until(lambda: bool(self._parts) and (self._ended or not self._gathers()))
        if not self._parts:
            return b""
        part = self._joined() if self._gathers() else self._parts.popleft()
        self._held -= len(part)
        self._go_on()
        return part

    async def rest(self, most: int) -> bytes:
        """All that is still to come, or the first `most` bytes of it. Raises Broken."""
        parts: list[bytes] = []
        left = most
        while left > 0 and (part := await self.part()):
            parts.append(part[:left])
            left -= len(part)
        return b"".join(parts)

    def _go_on(self) -> None:
        transport = self._transport
        if self._paused and self._held < HELD_BYTES and transport is not None and not transport.is_closing():
            self._paused = False
            transport.resume_reading()

    def close(self) -> None:
        """At once: the container sees that nobody reads on."""
        if self._transport is not None:
            self._transport.abort()

    async def _until(self, reached: Callable[[], bool]) -> None:
        """Until it is so, or the answer has ended. Raises Broken where it never will be."""
        while not (reached() or self._ended):
            if self._broken is not None:
                raise self._broken
            self._changed.clear()
            await self._changed.wait()

    def _gathers(self) -> bool:
        """Whether it is one part: no chunks, and not too long."""
        size = self.headers.get("content-length", "")
        return size.isdigit() and int(size) <= WHOLE_BYTES

    def _joined(self) -> bytes:
        parts, self._parts = self._parts, deque()
        return b"".join(parts)

    # asyncio.Protocol
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        try:
            self._bodiless += len(data)
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(Broken(f"no HTTP answer: {error}"))
        if self._bodiless > BODILESS_BYTES:
            self._fail(AnswerTooLarge(f"{BODILESS_BYTES} bytes of the answer held nothing of its body"))
        self._changed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        framed = "content-length" in self.headers or "transfer-encoding" in self.headers
        if self._answers and not framed and exc is None:
            self._ended = True
        self._fail(Broken(str(exc or "the connection was closed without a whole answer")))
        self._changed.set()

    def _fail(self, error: Broken) -> None:
        """Once the answer is there it is whole, whatever follows."""
        if self._broken is None and not self._ended:
            self._broken = error
            self.close()

    # httptools' callbacks
    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        self.headers[name.decode("latin-1").lower()] = value.decode("utf-8", "replace")

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self.status = self._parser.get_status_code()
        self._answers = self.status >= 200
        if not self._answers:
            self.headers = {}

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self._bodiless = 0
        self._parts.append(body)
        self._held += len(body)
        transport = self._transport
        if self._held >= HELD_BYTES and not (self._paused or self._gathers()) and transport is not None:
            self._paused = True
            transport.pause_reading()

    def on_message_complete(self) -> None:
        """Called by the parser; a connection has one answer only."""
        self._ended = self._answers


async def begin(pool: Pool, request: Request) -> Stream:
    """Ask a container; returns when it begins to answer. Raises NotSent, Broken, and ValueError for a header that
    cannot be sent."""
    head = Request(request.method, request.path, {**request.headers, STREAM: "1"}, request.body).head()
    stream = await pool.open(Stream)
    try:
        await stream.ask(head, request.body)
    except BaseException:  # a time limit too: nobody reads on
        stream.close()
        raise
    return stream
