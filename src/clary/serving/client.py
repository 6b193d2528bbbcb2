"""An HTTP/1.1 client for model servers, over sockets that a `Dial` connects: pooled, kept alive, nothing more.

Why not a library's: a connection is dialled through a container's shim, and the time spent here is part of every
prediction (RFC 9112 for the framing; the parser is httptools').

A model server that says so by `x-clary-pipelined` is sent several requests on one connection before the first is
answered (RFC 9112, 9.3.2): what comes in one turn of the event loop is then written together, and read together. Others
are sent one at a time.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from types import MappingProxyType
from typing import Final, TypeVar, cast

import httptools

from clary.serving.heads import BODYLESS, END, LONGEST, PIPELINED, depth_of, read_head

IDLE_SECONDS = 1.0
"""An idle connection is dropped then: shorter than any model server's keep-alive (gevent's 2 s is the shortest)."""

_STILL_THERE = (0.0, 0.1, 0.3)
"""Seconds between looks."""

RESPONSE_BYTES = 64 * 2**20
"""A larger answer is broken off: containers are not trusted with the edge's memory."""

BODILESS_BYTES = 2**18
"""More on end of what is no body, such as headers without an end, is broken off for the same reason."""

_SHARED_BYTES: Final = 64 * 1024
"""A larger request has a connection of its own: those behind it would wait while it is sent."""

_NOTHING: Mapping[str, str] = MappingProxyType({})

Speaks = TypeVar("Speaks", bound=asyncio.Protocol)


class NotSent(Exception):
    """The container cannot be reached; nothing of the request has left."""


class Broken(Exception):
    """The connection ended, or spoke no HTTP, before the whole answer was there."""


class AnswerTooLarge(Broken):
    """The answer is larger than RESPONSE_BYTES, or BODILESS_BYTES of it brought nothing of a body."""


Body = bytes | memoryview
"""Of a request: a large one may lie in a file that is mapped into memory."""


class Request:
    """What is sent; `headers` without framing headers, which the client adds."""

    __slots__ = ("body", "headers", "method", "path")

    def __init__(self, method: str, path: str, headers: Mapping[str, str] = _NOTHING, body: Body = b"") -> None:
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body

    def head(self) -> bytes:
        """The request line and all headers. Raises ValueError where a header would break out of its line."""
        begun = _begun(self.method, self.path, *self.headers.items())
        if self.body or self.method == "POST":
            return b"%bContent-Length: %d\r\n\r\n" % (begun, len(self.body))
        return begun + b"\r\n"


@lru_cache(maxsize=512)
def _begun(method: str, path: str, *headers: tuple[str, str]) -> bytes:
    """A head's lines, which one client's requests have in common. Raises ValueError."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost:8080", *(f"{name}: {value}" for name, value in headers)]
    text = "\r\n".join(lines)
    if text.count("\r") != len(lines) - 1 or text.count("\n") != len(lines) - 1 or "\0" in text:
        raise ValueError("a header value holds a line break")
    return text.encode("utf-8") + b"\r\n"


class Response:
    """What came back; names of headers in lower case."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Room:
    """How many bytes of answers that are not whole yet connections may hold together. Belongs to one event loop."""

    def __init__(self, most: int) -> None:
        self.left = most
        """For more of them."""

    def take(self, size: int) -> None:
        """Raises AnswerTooLarge where there is no room for so many more."""
        if size > self.left:
            raise AnswerTooLarge("there is no room for so large an answer beside the others")
        self.left -= size

    def give(self, size: int) -> None:
        """So many are not held any more."""
        self.left += size


class Connection(asyncio.Protocol):
    """One connection. Answers come in the order of the requests."""

    def __init__(self, on_lost: Callable[[Connection], None], room: Room | None = None) -> None:
        self._on_lost = on_lost
        self._room = room
        self._held = 0
        self._transport: asyncio.Transport | None = None
        self._answers: deque[asyncio.Future[Response]] = deque()
        self._unsent: list[Body] = []
        self._unsent_answers = 0
        self._parser = httptools.HttpResponseParser(self)
        self._depth = 1
        self._bodiless = 0
        self._between = True
        """The parser waits for an answer's first byte."""
        self.idle_since = 0.0
        self.reusable = True
        self._begin()

    @property
    def free(self) -> bool:
        """Whether one more request may be asked by it."""
        return self.reusable and len(self._answers) < self._depth

    @property
    def pipelined(self) -> bool:
        """Whether its server has said that several requests may wait on it; then it holds up no other connection."""
        return self._depth > 1

    @property
    def last_place(self) -> bool:
        """Whether one more request is all that it has room for."""
        return len(self._answers) + 1 >= self._depth

    @property
    def idle(self) -> bool:
        """Whether nobody waits for an answer."""
        return all(answer.done() for answer in self._answers)

    async def ask(self, head: bytes, body: Body) -> Response:
        """The answer to one request. Raises Broken.

        Whoever waits no longer (a time limit) lets the connection go: at once, or once those who still wait for
        answers of theirs have them.
        """
        if self._transport is None or self._transport.is_closing():
            raise NotSent("the connection was closed")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Response] = loop.create_future()
        self._answers.append(answer)
        self._enqueue(head, body, loop)
        try:
            return await answer
        except BaseException:
            self.retire()
            raise
        finally:
            self.idle_since = loop.time()

    def _enqueue(self, head: bytes, body: Body, loop: asyncio.AbstractEventLoop) -> None:
        """A write costs more than all else of a request here: one takes along whatever else is asked meanwhile."""
        if not self._unsent:
            loop.call_soon(self._send)
        self._unsent.append(head)
        if body:
            self._unsent.append(body)
        self._unsent_answers += 1

    def _send(self) -> None:
        """What cannot leave any more stays unsent: who asked it is told so when the connection is lost."""
        if not self._unsent or self._transport is None or self._transport.is_closing():
            return
        unsent, self._unsent, self._unsent_answers = self._unsent, [], 0
        large = len(unsent[-1]) > _SHARED_BYTES  # then it is alone
        self._transport.writelines(unsent if large else [b"".join(unsent)])

    def close(self) -> None:
        """At once; what was being asked is Broken."""
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    def retire(self) -> None:
        """Take no more requests; close once nobody waits for an answer any more."""
        self.reusable = False
        if self.idle:
            self.close()

    def _begin(self) -> None:
        self._release()
        self._headers: dict[str, str] = {}
        self._pieces: list[bytes] = []
        self._size = 0
        self._until_close = False

    def _release(self) -> None:
        if self._room is not None:
            self._room.give(self._held)
            self._held = 0

    # asyncio.Protocol
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        if self._between and self._room is None:
            data = self._take_known(data)
            if not data:
                return
        if len(self._answers) <= self._unsent_answers:
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

    def _take_known(self, data: bytes) -> bytes:
        """Whole answers whose heads have come before; what follows them is for the parser."""
        begin = 0
        while begin < len(data) and len(self._answers) > self._unsent_answers:
            end = data.find(END, begin) + len(END)
            head = read_head(data[begin:end]) if len(END) <= end <= begin + LONGEST else None
            if head is None or head.length > min(len(data) - end, RESPONSE_BYTES):
                break
            begin = end + head.length
            self._depth = head.depth or self._depth
            answer = self._answers.popleft()
            if not answer.done():
                answer.set_result(Response(head.status, head.headers, data[end:begin]))
        return data[begin:] if begin else data

    def _check_progress(self) -> None:
        """The parser holds a header until its end, and we hold all of them."""
        if self._bodiless > BODILESS_BYTES:
            raise AnswerTooLarge(f"{BODILESS_BYTES} bytes of the answer held nothing of its body")

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self.reusable = False
        if self._answers and self._until_close and exc is None:
            self.on_message_complete()
        self._release()
        self._fail(Broken(str(exc or "the connection was closed without a whole answer")))
        self._on_lost(self)

    def _fail_unsent(self) -> None:
        """Those whose requests have not left, and never will: they came last."""
        for _ in range(self._unsent_answers):
            _refuse(self._answers.pop(), NotSent("the connection was closed"))
        self._unsent, self._unsent_answers = [], 0

    def _fail(self, error: Broken) -> None:
        """Everyone who waits: where one answer ends is where the next begins."""
        self._fail_unsent()
        while self._answers:
            _refuse(self._answers.popleft(), error)

    # httptools' callbacks
    def on_message_begin(self) -> None:
        """Called by the parser."""
        self._between = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        self._headers[name.decode("latin-1").lower()] = value.decode("utf-8", "replace")

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        framed = "content-length" in self._headers or "transfer-encoding" in self._headers
        self._until_close = not framed and self._parser.get_status_code() not in BODYLESS

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self._bodiless = 0
        self._size += len(body)
        if self._size > RESPONSE_BYTES:
            raise AnswerTooLarge(f"the answer is larger than {RESPONSE_BYTES} bytes")
        if self._room is not None:
            self._room.take(len(body))
            self._held += len(body)
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        status = self._parser.get_status_code()
        if status < 200:
            self._headers = {}
            return
        if len(self._answers) <= self._unsent_answers:
            raise Broken("an answer to no request")
        self.reusable = self.reusable and not self._until_close and self._parser.should_keep_alive()
        if PIPELINED in self._headers:
            self._depth = depth_of(self._headers.pop(PIPELINED))
        answer = self._answers.popleft()
        if not answer.done():
            answer.set_result(Response(status, self._headers, b"".join(self._pieces)))
        self._begin()
        self._bodiless = 0
        self._between = self.reusable


def _refuse(answer: asyncio.Future[Response], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)


class Pool:
    """The connections to one container."""

    def __init__(
        self,
        container: str,
        dial: Callable[[str], socket.socket],
        threads: ThreadPoolExecutor,
        room: Room | None = None,
    ) -> None:
        """`room` bounds what answers take together; None: each by itself is bounded."""
        self._room = room
        self._container = container
        self._dial = dial
        self._threads = threads
        self._free: list[Connection] = []

    async def ask(self, request: Request) -> Response:
        """The container's answer. Raises NotSent, Broken, and ValueError for a header that cannot be sent."""
        head = request.head()
        connection = self._take(len(request.body)) or await self.connect()
        try:
            answer: Response | None = await connection.ask(head, request.body)
        except NotSent:  # closed by the server between two requests
            answer = None
        if answer is None:
            connection = await self.connect()
            answer = await connection.ask(head, request.body)
        self._give_back(connection)
        return answer

    async def reachable(self) -> bool:
        """Whether something listens there, and goes on to: who is killed may close a connection before its port."""
        for pause in _STILL_THERE:
            await asyncio.sleep(pause)
            try:
                (await self.connect()).close()
            except NotSent:
                return False
        return True

    def prune(self) -> None:
        """Close what has been idle for long."""
        limit = asyncio.get_running_loop().time() - IDLE_SECONDS
        stale = [connection for connection in self._free if connection.idle and connection.idle_since <= limit]
        self._free = [connection for connection in self._free if connection not in stale]
        for connection in stale:
            connection.close()

    def close(self) -> None:
        """Close every connection that nobody waits for, and the others after their last answer."""
        free, self._free = self._free, []
        for connection in free:
            connection.retire()

    def _take(self, size: int) -> Connection | None:
        """The connection that was used last, so that few are: from the list, unless more requests may share it."""
        limit = asyncio.get_running_loop().time() - IDLE_SECONDS
        large = size > _SHARED_BYTES
        while self._free:
            connection = self._free[-1]
            if not connection.reusable or (connection.idle and connection.idle_since <= limit):
                self._free.pop()
                connection.retire()
                continue
            if large and not connection.idle:
                return None
            if large or connection.last_place:
                self._free.pop()
            return connection
        return None

    def _give_back(self, connection: Connection) -> None:
        if connection.free:
            if connection not in self._free:
                self._free.append(connection)
        elif connection.idle:
            connection.close()

    async def open(self, made: Callable[[], Speaks]) -> Speaks:
        """A connection of its own, for what is not pooled. Raises NotSent."""
        loop = asyncio.get_running_loop()
        try:
            sock = await loop.run_in_executor(self._threads, self._dial, self._container)
        except OSError as error:
            raise NotSent(f"container {self._container}: {error}") from error
        _, protocol = await loop.create_connection(made, sock=sock)
        return protocol

    async def connect(self) -> Connection:
        """One more connection, whose owner closes it. Raises NotSent."""
        return await self.open(lambda: Connection(self._forget, self._room))

    def _forget(self, connection: Connection) -> None:
        if connection in self._free:
            self._free.remove(connection)
