"""One request on a connection, and its answer: a `gateway.line.Line`."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from clary.edge.heads import CONTINUE, Date, head
from clary.gateway.line import Message
from clary.wire.http import EMPTY_BODY_STATUSES, HttpRequest, HttpResponse

_LARGE: Final = 128 * 2**10
"""Bytes."""

_GONE: Message = {"type": "http.disconnect"}


class Wire(Protocol):
    """What a turn needs of its connection."""

    date: Date

    def write(self, data: bytes) -> None:
        """Send; nothing where the connection has ended."""
        ...

    def read_on(self) -> None:
        """More of the body is wanted."""
        ...

    async def writable(self) -> None:
        """Returns when the client has read most of what was sent, or has gone."""
        ...

    async def channel(self, data: bytes) -> int | None:
        """Send, and give another descriptor of the socket once the kernel has all that was sent; None where nobody but
        the connection may write to it."""
        ...


class Turn:
    """A request whose head is whole. Bodies are taken in as they come, and told when they are asked for."""

    __slots__ = (
        "_chunked", "_expects", "_head_only", "_left", "_pending", "_pieces", "_told", "_waiting", "_wire",
        "answered", "begun", "gone", "held", "keep_alive", "last", "modern", "request", "task", "whole",
    )  # fmt: skip

    def __init__(self, wire: Wire, request: HttpRequest, *, keep_alive: bool, modern: bool) -> None:
        """`modern` is HTTP/1.1: older clients know no chunks."""
        self._wire = wire
        self.request = request
        self.keep_alive = keep_alive
        self.last = not keep_alive
        """The client itself asks nothing after it."""
        self.modern = modern
        self._expects = modern and request.headers.get("expect", "").lower() == "100-continue"
        self._head_only = request.method == "HEAD"
        self._pieces: list[bytes] = []
        self.held = 0
        """Bytes of the body that have not been asked for."""
        self.whole = False
        """All of the body has come."""
        self._told = False
        self._waiting: asyncio.Future[None] | None = None
        self._pending = b""
        self._chunked = False
        self._left: int | None = None
        self.begun = self.answered = self.gone = False
        self.task: asyncio.Task[None] | None = None

    # what the connection says

    def take(self, piece: bytes) -> None:
        """More of the body; let go where nobody asks for it any more."""
        if not self.answered:
            self._pieces.append(piece)
            self.held += len(piece)
            self.wake()

    def end(self) -> None:
        """The body is whole."""
        self.whole = True
        self.wake()

    def hang_up(self) -> None:
        """The client has gone."""
        self.gone = True
        self.wake()

    def wake(self) -> None:
        """Something has happened that `receive` may wait for."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    # gateway.line.Line

    def ahead(self) -> bytes | None:
        """The whole body, where it is here."""
        if not self.whole or self._told:
            return None
        self._told = True
        return self._taken()

    async def receive(self) -> Message:
        """The body's next piece, or that the client has gone, or has its answer."""
        if self._expects and not self.begun:
            self._expects = False
            self._wire.write(CONTINUE)
        while not (self.gone or self.answered or self._pieces or (self.whole and not self._told)):
            self._wire.read_on()
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        if self.gone or self.answered:
            return _GONE
        self._told = self.whole
        return {"type": "http.request", "body": self._taken(), "more_body": not self.whole}

    def _taken(self) -> bytes:
        pieces, self._pieces, self.held = self._pieces, [], 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def reply(self, response: HttpResponse, body: bytes) -> None:
        """All of the answer, in one write. Raises BadHeader."""
        await self._wire.writable()
        self._note_close(response.headers.get("connection", ""))
        begun = head(response.status, self._wire.date, response.headers, response.cookies, close=not self.keep_alive)
        self.begun = self.answered = True
        self._write(begun, body)

    async def send(self, message: Message) -> None:
        """A part of the answer; the head waits for the first of the body. Raises BadHeader."""
        await self._wire.writable()
        if message["type"] == "http.response.start":
            self._begin(message)
        else:
            self._go_on(message.get("body", b""), last=not message.get("more_body", False))

    async def channel(self) -> int | None:
        """The socket, where the body has a length and is not encrypted."""
        if not self._left:
            return None
        pending, self._pending = self._pending, b""
        return await self._wire.channel(pending)

    def copied(self, count: int) -> None:
        """By the kernel."""
        self._left = (self._left or 0) - count

    def _begin(self, message: Message) -> None:
        status: int = message["status"]
        headers = {name.decode(): value.decode() for name, value in message["headers"] if name != b"set-cookie"}
        cookies = [value.decode() for name, value in message["headers"] if name == b"set-cookie"]
        length = headers.get("content-length")
        if self._head_only or status in EMPTY_BODY_STATUSES:
            self._left = 0
        elif length is not None:
            self._left = int(length)
        elif self.modern:
            self._chunked = True
            headers["transfer-encoding"] = "chunked"
        else:
            self.keep_alive = False  # the end of the connection is the end of the body
        self._note_close(headers.get("connection", ""))
        self._pending = head(status, self._wire.date, headers, cookies, close=not self.keep_alive)
        self.begun = True

    def _go_on(self, body: bytes, *, last: bool) -> None:
        if self._head_only:
            body = b""
        if self._left is not None:
            self._left -= len(body)
            if self._left < 0 or (last and self._left):
                raise ValueError("the body is not as long as its head said")
        if self._chunked:
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + (b"0\r\n\r\n" if last else b"")
        pending, self._pending = self._pending, b""
        self.answered = last
        self._write(pending, body)

    def _write(self, begun: bytes, body: bytes) -> None:
        """Together, unless joining them would take longer than a second write."""
        if len(body) > _LARGE and begun:
            self._wire.write(begun)
            begun = b""
        if begun or body:
            self._wire.write(begun + body)

    def _note_close(self, connection: str) -> None:
        if "close" in connection.lower():
            self.keep_alive = False
