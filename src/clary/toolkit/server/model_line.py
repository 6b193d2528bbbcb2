"""The line to one model's process: what waits for the model is handed on at once, so that it can be computed together,
and answered in its order."""

from __future__ import annotations

import contextlib
import logging
import queue
import select
import socket
import threading
from typing import BinaryIO, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

from clary.toolkit.server import batching
from clary.toolkit.server.listener import Exchange
from clary.toolkit.server.message import Request, Response
from clary.toolkit.server.streaming import STREAM

Answer = Callable[[Iterable[Tuple[Exchange, Response]]], None]
"""Sends answers; from any thread."""

_PING = Request("GET", "/ping", {}, b"")
_FRAMING = frozenset({"host", "content-length", "transfer-encoding", "connection", "expect", STREAM})
_DIED = Response(500, b"The model's process ended before it had answered.")
_NOT_LOADED = Response(404, b"The model is not loaded.")

logger = logging.getLogger("sagemaker-inference")


class Line:
    """One model. Its thread waits for it; nobody else does."""

    def __init__(self, place: str, answer: Answer) -> None:
        self._place = place
        self._answer = answer
        self._waiting: queue.SimpleQueue[Optional[Exchange]] = queue.SimpleQueue()
        self._last = threading.Lock()
        """Who holds it puts the last into what waits, or sees that it is not there."""
        self._closed = False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._received: BinaryIO = self._socket.makefile("rb")
        self.alive = True
        self.ready = False
        """It has loaded, or will never have."""
        self.farewells: List[Tuple[Exchange, Response]] = []
        """What is to be answered when it has ended."""

    def start(self, loaded: Callable[[bool], None], ended: Callable[[], None]) -> None:
        """Wait for the model on a thread of its own: `loaded` is told whether it answers. Then hand on what comes,
        until `close`; `ended` is called when nothing is with the model any more."""
        threading.Thread(target=self._run, args=(loaded, ended), name="model", daemon=True).start()

    def ask(self, exchange: Exchange) -> None:
        """It is answered sooner or later, with 404 where the model is gone by then."""
        with self._last:
            if not self._closed:
                self._waiting.put(exchange)
                return
        self._answer([(exchange, _NOT_LOADED)])

    def close(self) -> None:
        """Answer what waits, then end."""
        with self._last:
            self._closed = True
            self._waiting.put(None)

    def _run(self, loaded: Callable[[bool], None], ended: Callable[[], None]) -> None:
        self.alive = self._answers()
        self.ready = True
        loaded(self.alive)
        while True:
            taken, last = self._take()
            self._hand_on(taken)
            if last:
                break
        self.alive = False
        self._received.close()
        self._socket.close()
        ended()

    def _answers(self) -> bool:
        """A process that has ended by now refuses the connection: it does not load, and memory is not what it lacks."""
        try:
            self._socket.connect(self._place)
            self._socket.sendall(_worded(_PING))
            return _read(self._received).status == 200
        except (OSError, ValueError):
            return False

    def _take(self) -> Tuple[List[Exchange], bool]:
        """What waits, and whether it is the last."""
        taken: List[Exchange] = []
        while not taken or (len(taken) < batching.MOST_REQUESTS and not self._waiting.empty()):
            exchange = self._waiting.get()
            if exchange is None:
                return taken, True
            taken.append(exchange)
        return taken, False

    def _has_left(self) -> bool:
        """Nobody waits for an answer: there is nothing to read unless it is the end."""
        poll = select.poll()
        poll.register(self._socket.fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def _hand_on(self, taken: Sequence[Exchange]) -> None:
        if not self.alive or self._has_left():
            self.alive = False
            self._answer((exchange, _NOT_LOADED) for exchange in taken)
            return
        answered = 0
        try:
            self._socket.sendall(b"".join(_worded(exchange.request) for exchange in taken))
            for exchange in taken:
                self._answer([(exchange, _read(self._received))])
                answered += 1
        except (OSError, ValueError) as error:
            self.alive = False
            logger.error("The process of a model has ended: %s", error)  # noqa: TRY400 - nothing of ours has failed
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._answer((exchange, _DIED) for exchange in taken[answered:])


def _worded(request: Request) -> bytes:
    """As the model's own server reads it: for it there is one model only."""
    path = "/invocations" if request.method == "POST" else request.path
    lines = [f"{request.method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers.items() if name not in _FRAMING]
    lines.append(f"content-length: {len(request.body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + request.body


def _read(received: BinaryIO) -> Response:
    """The next answer of a model server of ours, which always says how long it is. Raises OSError where the connection
    ended, ValueError where this is no answer."""
    try:
        return _answer(received)
    except LookupError as error:
        raise ValueError("this is no answer") from error


def _answer(received: BinaryIO) -> Response:
    status = _line(received).split(b" ", 2)[1]
    headers: Dict[bytes, bytes] = {}
    line = _line(received)
    while line:
        name, _, value = line.partition(b": ")
        headers[name] = value
        line = _line(received)
    size = int(headers[b"content-length"])
    body = received.read(size)
    if len(body) < size:
        raise OSError("the connection was closed within an answer")
    return Response(int(status), body, headers.get(b"content-type", b"").decode("latin-1"))


def _line(received: BinaryIO) -> bytes:
    line = received.readline()
    if not line.endswith(b"\r\n"):
        raise OSError("the connection was closed without a whole answer")
    return line[:-2]
