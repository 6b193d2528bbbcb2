"""Control's side of the hop: connections from the edges, each with one call at a time, carried out in threads."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, cast

from clary import hop
from clary.calls import Call
from clary.errors import AWSError
from clary.full_disk import DiskFull, is_full
from clary.wire import frames

THREADS = 32
"""Calls carried out at once. Those that write wait together for one commit, so that many waiting is good."""

DRAIN = 5.0
"""Seconds for calls in progress when control is told to end."""

LAST_WORDS = 2.0
"""Seconds for what was answered to leave, after that."""

Run = Callable[[Call], dict[str, Any]]
Question = Callable[[dict[str, Any]], dict[str, Any]]

_log = logging.getLogger(__name__)


class ControlServer:
    """Answers calls and Clary's own questions on a listening socket."""

    def __init__(self, run: Run, questions: Mapping[str, Question]) -> None:
        self._run = run
        self._questions = questions
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="call")
        self._busy: dict[Future[None], _Caller] = {}
        self._callers: set[_Caller] = set()
        self._server: asyncio.Server | None = None
        self._over = False

    async def start(self, listening: socket.socket) -> None:
        """Answer from now on."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: _Caller(self._callers, self._begin), sock=listening)

    async def stop(self) -> None:
        """Take no more calls and finish those in progress, as far as they end in time."""
        if self._server:
            self._server.close()
        busy = dict(self._busy)
        for caller in self._callers - set(busy.values()):
            caller.close()
        if busy:
            await asyncio.wait([asyncio.wrap_future(future) for future in busy], timeout=DRAIN)
        self._over = True
        callers = list(self._callers)
        for caller in callers:
            caller.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
        if callers:
            await asyncio.wait([caller.gone for caller in callers], timeout=LAST_WORDS)

    def _begin(self, caller: _Caller, message: Any) -> None:  # noqa: ANN401  what frames carry
        if self._over:
            caller.close()
            return
        future = self._threads.submit(self._answer, caller, message)
        self._busy[future] = caller
        future.add_done_callback(self._busy.pop)

    def _answer(self, caller: _Caller, message: Any) -> None:  # noqa: ANN401
        answer = self._outcome(message)
        try:
            caller.answer(frames.pack(answer))
        except frames.BadFrame:
            _log.exception("an answer that cannot be sent")
            caller.answer(frames.pack(hop.error_message(internal_failure())))

    def _outcome(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            return hop.output_message(self._carry_out(message))
        except AWSError as error:
            return hop.error_message(error)
        except Exception as error:
            if self._over:  # the databases are closed, and so is the caller's connection
                _log.warning("%s was not carried out in time", _described(message))
            else:
                _log.exception("%s failed", _described(message))
            return hop.error_message(DiskFull() if is_full(error) else internal_failure())

    def _carry_out(self, message: dict[str, Any]) -> dict[str, Any]:
        if "ask" in message:
            return self._questions[message["ask"]](message["params"])
        return self._run(hop.call_of(message))


def internal_failure() -> AWSError:
    """An error of ours: the log says more, the client gets no more than this."""
    return AWSError("InternalFailure", "The request processing has failed because of an unknown error.", status=500)


class _Caller(asyncio.Protocol):
    """A connection. Answers are sent by the threads that have made them: the event loop would only be in between."""

    def __init__(self, callers: set[_Caller], begin: Callable[[_Caller, Any], None]) -> None:
        self._callers, self._begin = callers, begin
        self._frames = frames.Frames()
        self._sending = threading.Lock()
        self._socket = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.Transport", transport)
        self._loop = asyncio.get_running_loop()
        self._socket = os.dup(self._transport.get_extra_info("socket").fileno())
        self.gone = self._loop.create_future()
        """Done when the connection has ended, all that was answered sent."""
        self._callers.add(self)
        self._transport.write(frames.pack(hop.GREETING))

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        try:
            for message in self._frames.feed(data):
                self._begin(self, message)
        except frames.BadFrame as error:
            _log.warning("a connection to control was ended: %s", error)
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._callers.discard(self)
        self._fall_silent()
        self.gone.set_result(None)

    def answer(self, data: bytes) -> None:
        """From any thread; nothing where the caller has gone or `close` was called. What the socket does not take at
        once goes by the event loop."""
        with self._sending, suppress(ConnectionError):
            sent = self._written(data)
            if sent < len(data):
                self._loop.call_soon_threadsafe(self._transport.write, data[sent:])

    def close(self) -> None:
        """Once what was answered is sent. Nothing is answered from now on: a call that fails because control ends would
        tell of an internal failure while the event loop has yet to end the connection. What a thread has left to the
        event loop by then comes first."""
        self._fall_silent()
        self._loop.call_soon(self._transport.close)

    def _fall_silent(self) -> None:
        with self._sending:
            descriptor, self._socket = self._socket, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _written(self, data: bytes) -> int:
        if self._socket < 0:
            return len(data)
        try:
            return os.write(self._socket, data)
        except BlockingIOError:
            return 0


def _described(message: dict[str, Any]) -> str:
    call = message.get("call")
    if not isinstance(call, dict):
        return f"question {message.get('ask')!r}"
    return f"{call.get('service')}.{call.get('operation')} (request {call.get('request_id')})"
