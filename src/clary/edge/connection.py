"""HTTP/1.1 for one client (RFC 9112), with bounds on how long and how large a head may be, and on how many connections
there are: those beyond are told to come again, those that are there are answered.

Why not a library's server: docs/decisions/0047. The parser is httptools'.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import lru_cache
from time import monotonic
from typing import Final, Protocol, cast

import httptools

from clary.edge.heads import Date, head
from clary.edge.turn import Turn
from clary.gateway.line import Line
from clary.wire.http import HttpRequest, HttpResponse

LONGEST_HEAD: Final = 64 * 2**10
"""Bytes of a head that has not ended: a presigned URL with a session token takes about 3 KiB."""

KEEP_ALIVE: Final = 75.0
"""Seconds that an idle connection is kept: above the 60 s after which SDKs' pools let go."""

LINGER = 2.0
"""Seconds in which what a client still sends is let go by, once it has its last answer."""

_HELD: Final = 64 * 2**10
"""Bytes of a body that wait to be asked for; beyond these no more are read."""

_NEVER: Final = float("inf")
_BUSY = b'{"message":"The service is unavailable. Try your call again."}'

_log = logging.getLogger(__name__)

Application = Callable[[HttpRequest, Line], Awaitable[None]]
"""Answers one request."""


class Passage(Protocol):
    """The way to other processes, and back."""

    def attach(self, hall: Hall) -> None:
        """Whoever comes by it comes into this hall. Called in the event loop, before anybody is heard."""
        ...

    def passes(self, connection: Connection, data: bytes) -> bool:
        """Whether another process goes on with it. All before was answered, and a request begins with these bytes."""
        ...

    def left(self, connection: Connection) -> None:
        """It has ended, here at least."""
        ...

    def leave(self) -> None:
        """The hall closes."""
        ...


@dataclass
class Hall:
    """What all connections of an edge have in common."""

    application: Application
    head_seconds: float
    """That a head may take from its first byte to its last."""
    most_connections: int
    passage: Passage | None = None
    connections: set[Connection] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    date: Date = field(default_factory=Date)
    closing: bool = False
    """Answers that are under way are the last."""
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Everybody has gone after that."""

    def sweep(self) -> None:
        """Let go of clients that have been silent for too long; to be asked about once a second."""
        self.date.turn(None)
        now = monotonic()
        for connection in [each for each in self.connections if each.due <= now]:
            connection.cut_off()

    def welcome(self, connected: socket.socket, first: bytes, *, stays: bool = False) -> None:
        """Go on with a connection of which another process has read the `first` bytes of a request."""
        loop = asyncio.get_running_loop()
        task = loop.create_task(_welcomed(self, connected, first, stays))
        self.tasks.add(task)
        task.add_done_callback(self._welcomed)

    def _welcomed(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        self.look()
        if not task.cancelled() and task.exception() is not None:
            _log.warning("a connection was lost on its way here: %s", task.exception())

    def close(self) -> None:
        """Take no more requests; who waits for an answer gets it."""
        self.closing = True
        if self.passage is not None:
            self.passage.leave()
        for connection in list(self.connections):
            connection.leave()

        self.look()

    def look(self) -> None:
        """Whether anybody is still there, where it is closing."""
        if self.closing and not (self.connections or self.tasks):
            self.left.set()


class Connection(asyncio.Protocol):
    """One client. Requests that come before the last is answered wait for their turn."""

    def __init__(self, hall: Hall, first: bytes = b"", *, stays: bool = False) -> None:
        """`first`: what another process has read of it."""
        self._hall = hall
        self._first = first
        self.stays = stays
        """It has been elsewhere, and came back."""
        self.departed = False
        """Another process goes on with it."""
        self.date = hall.date
        self._parser = httptools.HttpRequestParser(self)
        self._turns: deque[Turn] = deque()
        """The first is being answered, the last may still be arriving."""
        self._arriving: Turn | None = None
        self._in_head = True
        self._head_bytes = 0
        self._url = b""
        self._headers: dict[str, str] = {}
        self._refusing = ""
        """What is said to a client that speaks no HTTP, once all before is answered."""
        self._over = False
        """Nothing that comes now is read."""
        self._unheard = False
        """The client may still be sending what nobody reads."""
        self._ended_one = False
        """A request has ended in the bytes that are being read."""
        self._unread = 0
        self._paused = False
        self._writable: asyncio.Future[None] | None = None
        self.due = monotonic() + hall.head_seconds
        """When it is cut off unless something happens, by the monotonic clock."""

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.Transport", transport)
        self._loop = asyncio.get_running_loop()
        peer = transport.get_extra_info("peername")
        self._inside = transport.get_extra_info("socket").family == socket.AF_UNIX
        self._source = str(peer[0]) if isinstance(peer, tuple) else "127.0.0.1"
        self._secure = transport.get_extra_info("ssl_object") is not None
        self._hall.connections.add(self)
        self._busy = len(self._hall.connections) > self._hall.most_connections
        if not self._inside and not isinstance(peer, tuple):  # it was reset: whose request is here nobody can say
            self._over = True
            self._transport.abort()
        elif self._first:
            self.data_received(self._first)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._hall.connections.discard(self)
        self._hall.look()
        self._over = True
        if self._hall.passage is not None:
            self._hall.passage.left(self)
        while len(self._turns) > 1:
            self._turns.pop()
        for turn in self._turns:
            turn.hang_up()
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        if self._over:
            return
        passage, between = self._hall.passage, self._arriving is None and not self._turns and not self._in_head
        if passage is not None and between and passage.passes(self, data):
            return
        self._ended_one = False
        try:
            self._feed(data)
        except httptools.HttpParserError:
            if not self._over:  # after the last request anything may come
                self._refuse("Invalid HTTP request received.")
        if self._in_head and not self._over:
            self._bound_head(len(data))
        self._begin()

    def pause_writing(self) -> None:
        """Called by the event loop: the client reads too slowly."""
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """Called by the event loop."""
        waiting, self._writable = self._writable, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    # httptools' callbacks

    def on_message_begin(self) -> None:
        """Called by the parser."""
        self._in_head, self._head_bytes = True, 0
        self._url, self._headers = b"", {}

    def on_url(self, url: bytes) -> None:
        """Called by the parser, for each part of it."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser; for trailers too, which nobody here asked for."""
        if self._in_head:
            key, headers = _lower(name), self._headers
            text = value.decode("ascii") if value.isascii() else _text(value)
            headers[key] = f"{headers[key]},{text}" if key in headers else text

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self._in_head, self.due = False, _NEVER
        modern = self._parser.get_http_version() == "1.1"
        request = self._request()
        keep_alive = modern and self._parser.should_keep_alive() and request.method != "CONNECT"
        turn = self._arriving = Turn(self, request, keep_alive=keep_alive, modern=modern)
        self._turns.append(turn)

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        turn = self._arriving
        if turn is not None:
            turn.take(body)
            if turn.held > _HELD:
                self._pause()

    def on_message_complete(self) -> None:
        """Called by the parser."""
        turn, self._arriving = self._arriving, None
        if turn is not None:
            turn.end()
            self._ended_one = True
            self._over = not turn.keep_alive

    # edge.turn.Wire

    def write(self, data: bytes) -> None:
        """Send; nothing where the connection has ended."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def read_on(self) -> None:
        """More of a body is wanted."""
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    async def writable(self) -> None:
        """Returns when the client has read most of what was sent, or has gone."""
        while self._writable is not None:
            await asyncio.shield(self._writable)

    async def channel(self, data: bytes) -> int | None:
        """What is written by the kernel must not come before what waits here."""
        if self._secure or self._transport.is_closing():
            self.write(data)
            return None
        self._transport.set_write_buffer_limits(0)
        self.write(data)
        await self.writable()
        if self._transport.is_closing():
            return None
        self._transport.set_write_buffer_limits()
        return os.dup(self._transport.get_extra_info("socket").fileno())

    # what the passage asks

    @property
    def movable(self) -> bool:
        """Whether another process could go on with it: a TCP connection without encryption, all answers sent."""
        stuck = self._secure or self._inside or self._busy or self._hall.closing or self._transport.is_closing()
        return not stuck and not self._transport.get_write_buffer_size()

    def descriptor(self) -> int:
        """The socket's."""
        return cast("int", self._transport.get_extra_info("socket").fileno())

    def depart(self) -> None:
        """Another process has the socket too: let go of it, and say nothing to the client."""
        self._over = self.departed = True
        self._transport.abort()

    def send_away(self) -> None:
        """Its next request is answered that it is to come again."""
        self._busy = True

    # what the hall says

    def cut_off(self) -> None:
        """The client was silent for too long; unless it is still reading its answer."""
        unread = self._transport.get_write_buffer_size()
        if unread and unread != self._unread:
            self._unread, self.due = unread, monotonic() + KEEP_ALIVE
        elif unread:
            self._transport.abort()
        else:
            self._transport.close()

    def leave(self) -> None:
        """Close once what was asked is answered."""
        if self._turns:
            self._turns[0].keep_alive = False
        else:
            self._transport.close()

    # in turn

    def _feed(self, data: bytes) -> None:
        """An upgrade is not taken up (RFC 9110, 7.8): what follows is HTTP/1.1 as before. Raises HttpParserError."""
        while data and not self._over:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
            else:
                return

    def _request(self) -> HttpRequest:
        path, _, query = self._url.partition(b"?")
        if not path.startswith(b"/") or b"#" in self._url:
            path, query = _parsed(self._url)
        method = self._parser.get_method().decode("ascii")
        return HttpRequest(
            method,
            path.decode("latin-1"),
            query.decode("latin-1"),
            self._headers,
            source_ip=self._source,
            inside=self._inside,
            secure=self._secure,
        )

    def _bound_head(self, size: int) -> None:
        """A head that has not ended has a clock and a longest length."""
        self._head_bytes += 0 if self._ended_one else size  # else it began somewhere within them
        if self._head_bytes > LONGEST_HEAD:
            self._refuse("The request's head is too large.")
        else:
            self.due = min(self.due, monotonic() + self._hall.head_seconds)

    def _refuse(self, why: str) -> None:
        """What is broken is not carried out, and nothing after it can be understood."""
        self._refusing, self._over, self._unheard = why, True, True
        broken, self._arriving = self._arriving, None
        if broken is not None and broken.task is None:
            self._turns.pop()
        elif broken is not None:
            broken.hang_up()

    def _begin(self) -> None:
        """The next that waits; clients that ask faster than they are answered are read no further."""
        if not self._turns:
            if self._over:
                self._end()
            return
        if len(self._turns) > 1:
            self._pause()
        turn = self._turns[0]
        if turn.task is None:
            turn.task = self._loop.create_task(self._answer(turn))
            self._hall.tasks.add(turn.task)

    async def _answer(self, turn: Turn) -> None:
        try:
            await (_send_away(turn) if self._busy else self._hall.application(turn.request, turn))
        except Exception:  # the last line of defence: a half answer cannot be mended
            _log.exception("the answer to %s %s broke off", turn.request.method, turn.request.raw_path)
        finally:
            self._hall.tasks.discard(cast("asyncio.Task[None]", turn.task))
            self._hall.look()
            self._answered(turn)

    def _answered(self, turn: Turn) -> None:
        whole, turn.answered = turn.answered, True
        turn.wake()  # whoever still waits for that
        self._turns.popleft()
        if turn.begun and not whole:
            self._transport.abort()
        if not (whole and turn.keep_alive) or self._hall.closing:
            self._over = True
            self._unheard = not (turn.whole and turn.last) and not self._hall.closing
            self._turns.clear()
        elif not self._in_head:
            self.due = monotonic() + KEEP_ALIVE
        if len(self._turns) <= 1:
            self.read_on()
        self._begin()

    def _end(self) -> None:
        if self._refusing:
            text, self._refusing = self._refusing, ""
            headers = {"content-type": "text/plain; charset=utf-8", "content-length": str(len(text))}
            self.write(head(400, self.date, headers, (), close=True) + text.encode())
        if self._unheard and not self._transport.is_closing() and self._transport.can_write_eof():
            self._linger()
        else:
            self._transport.close()

    def _linger(self) -> None:
        """A socket that is closed before all is read resets the connection, and the client loses what it was told
        (RFC 9112, 9.6)."""
        self._unheard = False
        self._transport.write_eof()
        self.read_on()
        self.due = monotonic() + LINGER

    def _pause(self) -> None:
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()


async def _welcomed(hall: Hall, connected: socket.socket, first: bytes, stays: bool) -> None:
    await asyncio.get_running_loop().connect_accepted_socket(lambda: Connection(hall, first, stays=stays), connected)


async def _send_away(turn: Turn) -> None:
    headers = {"content-type": "application/json", "x-amzn-errortype": "ServiceUnavailable", "retry-after": "1"}
    headers |= {"content-length": str(len(_BUSY)), "connection": "close"}
    await turn.reply(HttpResponse(503, headers), _BUSY)


def _parsed(url: bytes) -> tuple[bytes, bytes]:
    """Path and query of what is no plain path: an absolute URL, as proxies send. Raises HttpParserError."""
    parsed = httptools.parse_url(url)
    return parsed.path or b"/", parsed.query or b""


@lru_cache(maxsize=512)
def _lower(name: bytes) -> str:
    return name.decode("latin-1").lower()


def _text(raw: bytes) -> str:
    """Header values are Latin-1 by the RFC, and UTF-8 from many clients: a signature covers what they meant."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
