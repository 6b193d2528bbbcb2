"""HTTP/1.1: reads whole requests, hands them to the main thread, writes the answers in order.

The user's functions run on the main thread, one at a time, as in a worker of the public model servers: they may use
signals, event loops and libraries that are not safe for threads. While it waits it reads; while it computes, another
thread does (`turns.py`) and answers `/ping`, so that a long prediction does not look like a dead server. "The HTTP
thread" is here whichever of them runs the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import socket
import threading
from collections import deque
from typing import Callable, Deque, Dict, Iterable, List, Optional, Set, Tuple

import httptools

from clary.toolkit.server.head import head
from clary.toolkit.server.heads import END, Heads
from clary.toolkit.server.message import Request, Response
from clary.toolkit.server.streaming import LAST, Outlet
from clary.toolkit.server.turns import Turns

_BACKLOG = 1024
_TOO_LARGE = Response(413, b"Request body is too large.")
_MALFORMED = Response(400, b"Malformed HTTP request.")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_CLOSE_SECONDS = 5.0
_TURNS_TO_READ = 4
"""Of the loop, until what has come by now is read: a connection is accepted, made, watched, read."""

Immediate = Callable[[Request], Optional[Response]]
"""Answers what needs no model (`/ping`), or None."""


class Exchange:
    """One request under way, and the place of its answer."""

    __slots__ = ("connection", "keep_alive", "request", "response")

    def __init__(self, connection: _Connection, request: Request, keep_alive: bool) -> None:
        self.connection = connection
        self.request = request
        self.keep_alive = keep_alive
        self.response: Optional[Response] = None

    def note(self, response: Response) -> _Connection:
        """Keep the answer until it may leave; by whose connection it will."""
        self.response = response
        return self.connection


class _Connection(asyncio.Protocol):
    """One client. Answers leave in the order of the requests.

    Two threads write: the one that computes, as long as the kernel takes all at once (a turn of the HTTP thread costs
    more than the write), else the HTTP thread. Each holds `_lock` from deciding what comes next until it is written.
    """

    def __init__(self, listener: Listener, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._listener = listener
        self._transport: Optional[asyncio.Transport] = None
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: Deque[Exchange] = deque()
        self._arrived: List[Exchange] = []
        self._ended = False
        self._said = not listener.pipelined
        self._outlet: Optional[Outlet] = None
        self._unsaid: List[Tuple[Iterable[bytes], bool]] = []
        """What is not to stand among the parts of an answer."""
        self._lock = threading.Lock()
        self._owed = False
        """The rest of what the computing thread has written waits for the HTTP thread."""
        self._between = True
        """The parser waits for a request's first byte."""
        self._begin()

    def _begin(self) -> None:
        self._path = b""
        self._headers: Dict[str, str] = {}
        self._body: List[bytes] = []
        self._size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker; asyncio promises it
        self._transport = transport
        self._listener.connections.add(self)

    def pause_writing(self) -> None:
        if self._outlet is not None:
            self._outlet.pause()

    def resume_writing(self) -> None:
        if self._outlet is not None:
            self._outlet.resume()

    def connection_lost(self, exc: Optional[Exception]) -> None:
        with self._lock:  # the descriptor is closed after this, and may be another's then
            self._transport = None
        if self._outlet is not None:
            self._outlet.lose()
        self._listener.left(self)

    def eof_received(self) -> bool:
        """A client that has said all may still listen: stay open while it waits for answers."""
        self._ended = True
        return bool(self._waiting)

    def data_received(self, data: bytes) -> None:
        if self._between:
            data = self._take_known(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._refuse(_MALFORMED)
        self._hand_over()

    def _take_known(self, data: bytes) -> bytes:
        """Whole requests whose heads have come before; what follows them is for the parser."""
        begin = 0
        while begin < len(data):
            end = data.find(END, begin) + len(END)
            head = self._listener.heads.find(data[begin:end]) if end >= len(END) else None
            if head is None or end + head.length > len(data) or head.length > self._listener.max_body:
                break
            begin = end + head.length
            self._arrive(Request(head.method, head.path, dict(head.headers), data[end:begin]), keep_alive=True)
        return data[begin:] if begin else data

    def _hand_over(self) -> None:
        """All that came in one read, at once: the main thread would else begin with the first of them alone."""
        if self._arrived:
            arrived, self._arrived = self._arrived, []
            for exchange in arrived:
                self._listener.requests.put(exchange)
            self._listener.turns.wake()

    def on_message_begin(self) -> None:
        self._between = False

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._headers.get("expect", "").lower() == "100-continue":
            self._say([_CONTINUE], keep_alive=True)

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size <= self._listener.max_body:
            self._body.append(body)

    def on_message_complete(self) -> None:
        path = self._path.partition(b"?")[0].decode("latin-1")
        request = Request(self._parser.get_method().decode("latin-1"), path, self._headers, b"".join(self._body))
        refused = _TOO_LARGE if self._size > self._listener.max_body else None
        keep_alive = self._between = self._parser.should_keep_alive()  # after the last one nothing is read
        self._begin()
        self._arrive(request, keep_alive, refused)

    def _arrive(self, request: Request, keep_alive: bool, refused: Optional[Response] = None) -> None:
        exchange = Exchange(self, request, keep_alive)
        self._waiting.append(exchange)
        response = refused or self._listener.immediate(request)
        if response is None:
            self._arrived.append(exchange)
        else:
            exchange.note(response)
            self.flush()

    def flush(self) -> None:
        """Write all answers that may leave now, at once; in the HTTP thread."""
        with self._lock:
            if self._owed:
                return
            ready, keep_alive = self._ready()
            if ready:
                self._write(ready, keep_alive)

    def flush_here(self) -> bool:
        """The same in the thread that computes; whether it is done. Else it is the HTTP thread's to do."""
        with self._lock:
            transport = self._transport
            if transport is None or transport.is_closing() or transport.get_write_buffer_size() or self._owed:
                return False
            ready, keep_alive = self._ready()
            rest = _written(transport, b"".join(ready))
            if rest or not keep_alive:
                self._owed = True
                self.loop.call_soon_threadsafe(self._finish, rest, keep_alive)
            return True

    def _finish(self, rest: bytes, keep_alive: bool) -> None:
        with self._lock:
            self._owed = False
            self._write([rest], keep_alive)
        self.flush()

    def _say(self, parts: Iterable[bytes], keep_alive: bool) -> None:
        """Out of turn, but not in the midst of what is being written; in the HTTP thread."""
        with self._lock:
            if self._owed:
                self.loop.call_soon(self._say, parts, keep_alive)
            elif self._outlet is not None:
                self._unsaid.append((parts, keep_alive))
            else:
                self._write(parts, keep_alive)

    def _ready(self) -> Tuple[List[bytes], bool]:
        """Answers whose turn it is, and whether the connection goes on after them."""
        ready: List[bytes] = []
        keep_alive = True
        while keep_alive and self._waiting:
            response = self._waiting[0].response
            if response is None:
                break
            first = self._waiting.popleft()
            keep_alive = first.keep_alive and not (self._listener.closing and not self._waiting)
            ready += self._worded(response, keep_alive)
        return ready, keep_alive and not (ready and self._ended and not self._waiting)

    def open_outlet(self, outlet: Outlet, response: Response) -> None:
        """Begin an answer whose parts are still to come; whose turn it is has the place before all that waits."""
        if self._transport is None:
            outlet.lose()
            return
        self._outlet = outlet
        self._transport.write(head(response, self._keeps_alive(), not self._said))
        self._said = True

    def write_part(self, part: bytes) -> None:
        if self._transport is not None and self._outlet is not None:
            self._transport.write(part)
            self._outlet.written()

    def close_outlet(self, whole: bool) -> None:
        """A client sees by the missing last chunk that an answer is not whole."""
        self._outlet = None
        if self._transport is None:
            return
        if not whole:
            self._transport.close()
            return
        with self._lock:
            keep_alive = self._keeps_alive()
            self._waiting.popleft()
            self._write([LAST], keep_alive and not (self._ended and not self._waiting))
        unsaid, self._unsaid = self._unsaid, []
        for each in unsaid:
            self._say(*each)
        self.flush()

    def _keeps_alive(self) -> bool:
        return self._waiting[0].keep_alive and not self._listener.closing

    def _worded(self, response: Response, keep_alive: bool) -> Tuple[bytes, bytes]:
        first, self._said = not self._said, True
        return head(response, keep_alive, first), response.body

    def _write(self, parts: Iterable[bytes], keep_alive: bool) -> None:
        if self._transport is None:
            return
        self._transport.write(b"".join(parts))
        if not keep_alive:
            self._transport.close()

    def _refuse(self, response: Response) -> None:
        self._say(self._worded(response, keep_alive=False), keep_alive=False)

    def close_if_idle(self) -> None:
        """Close, unless an answer is still to come."""
        if self._transport is not None and not self._waiting:
            self._transport.close()


class Listener:
    """`requests` fills with exchanges from `start` on; None in it means that the server shall end."""

    def __init__(self, bound: socket.socket, immediate: Immediate, max_body: int, *, pipelined: bool = False) -> None:
        self.requests: queue.SimpleQueue[Optional[Exchange]] = queue.SimpleQueue()
        self.immediate = immediate
        self.max_body = max_body
        self.pipelined = pipelined
        self.heads = Heads()
        self.connections: Set[_Connection] = set()
        self.closing = False
        self._socket = bound
        self._loop = asyncio.SelectorEventLoop()  # whatever loops a script prefers for itself
        self._server: Optional[asyncio.AbstractServer] = None
        self._emptied: Optional[asyncio.Event] = None
        self.turns = Turns(self._loop)

    def start(self) -> None:
        """Listen. Returns when clients can connect."""
        self.turns.complete(self._listen())
        self.turns.start()

    async def _listen(self) -> None:
        self._server = await self._loop.create_server(
            lambda: _Connection(self, self._loop), sock=self._socket, backlog=_BACKLOG
        )

    def end(self) -> None:
        """The server shall end, after what has come; from the main thread, or a signal's handler. Nothing where it has
        ended: a handler stays for as long as the process does."""
        self.requests.put(None)
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self.turns.wake)

    def _has_come(self) -> bool:
        return not self.requests.empty()

    def take(self, most_requests: int, most_bytes: int) -> List[Exchange]:
        """What waits, within these bounds; the first is waited for. Empty where it shall end. Main thread only."""
        while not self._has_come():
            self.turns.wait(self._has_come)
        taken: List[Exchange] = []
        size, none_left = 0, self.requests.empty
        while len(taken) < most_requests and size < most_bytes and not none_left():
            exchange = self.requests.get()
            if exchange is None:
                if taken:
                    self.requests.put(None)
                return taken
            taken.append(exchange)
            size += len(exchange.request.body)
        return taken

    def answer(self, answered: Iterable[Tuple[Exchange, Response]]) -> None:
        """Send answers; from any thread."""
        connections = {exchange.note(response) for exchange, response in answered}
        late = [connection for connection in connections if not connection.flush_here()]
        if late:
            self._loop.call_soon_threadsafe(_flush, late)

    def stream(self, exchange: Exchange, response: Response) -> None:
        """Send an answer part by part, as they are computed; from the thread that computes."""
        connection, call = exchange.connection, self._loop.call_soon_threadsafe
        outlet = Outlet(call, connection.write_part, connection.close_outlet)
        self.turns.lend()
        call(connection.open_outlet, outlet, response)
        outlet.send_all(response.parts or iter(()))

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._socket.getsockname()[1])

    @property
    def place(self) -> str:
        """The same for a log, also where it is no port."""
        return self._socket.getsockname() if self._socket.family == socket.AF_UNIX else f"port {self.port}"

    def refuse_more(self) -> None:
        """Stop listening and close idle connections; requests that are there already may still be answered."""
        self.turns.complete(self._refuse_more())

    async def _refuse_more(self) -> None:
        for _ in range(_TURNS_TO_READ):
            await asyncio.sleep(0)
        self.closing = True
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.close_if_idle()

    def stop(self) -> None:
        """Wait until the last answers have left, for some seconds at most, and end."""
        self.turns.complete(self._drain())
        self.turns.close()

    async def _drain(self) -> None:
        self._emptied = asyncio.Event()
        if self.connections:
            await asyncio.wait({asyncio.ensure_future(self._emptied.wait())}, timeout=_CLOSE_SECONDS)

    def left(self, connection: _Connection) -> None:
        """A connection has ended."""
        self.connections.discard(connection)
        if self._emptied is not None and not self.connections:
            self._emptied.set()


def _flush(connections: Iterable[_Connection]) -> None:
    for connection in connections:
        connection.flush()


def _written(transport: asyncio.Transport, data: bytes) -> bytes:
    """What the kernel has not taken of it."""
    try:
        return data[os.write(transport.get_extra_info("socket").fileno(), data) :] if data else b""
    except OSError:  # it is full, or the client has gone, which the transport finds out
        return data


def bind(port: int, host: str = "0.0.0.0") -> socket.socket:  # noqa: S104 - the container's own network
    """A bound socket that does not listen yet. Raises OSError where the port is taken."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    bound.bind((host, port))
    return bound
