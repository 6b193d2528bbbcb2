"""Control's side of the hop: connections from the edges, each with one call at a time, carried out in threads."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from clary import hop
from clary.calls import Call
from clary.errors import AWSError
from clary.full_disk import DiskFull, is_full
from clary.wire import frames

THREADS = 32
"""Calls carried out at once. Those that write wait together for one commit, so that many waiting is good."""

DRAIN = 5.0
"""Seconds for calls in progress when control is told to end."""

Run = Callable[[Call], dict[str, Any]]
Question = Callable[[dict[str, Any]], dict[str, Any]]

_log = logging.getLogger(__name__)


class ControlServer:
    """Answers calls and Clary's own questions on a listening socket."""

    def __init__(self, run: Run, questions: Mapping[str, Question]) -> None:
        self._run = run
        self._questions = questions
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="call")
        self._busy: set[asyncio.Task[None]] = set()
        self._idle: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, listening: socket.socket) -> None:
        """Answer from now on."""
        self._server = await asyncio.start_unix_server(self._serve, sock=listening, limit=2**18)

    async def stop(self) -> None:
        """Take no more calls and finish those in progress, as far as they end in time."""
        if self._server:
            self._server.close()
        for task in self._idle:
            task.cancel()
        ending = self._idle | self._busy
        if ending:
            await asyncio.wait(ending, timeout=DRAIN)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 — a handler of asyncio's server runs in a task
        try:
            await frames.write(writer, hop.GREETING)
            await self._converse(task, reader, writer)
        except (EOFError, OSError, asyncio.CancelledError):
            return
        except frames.BadFrame as error:
            _log.warning("a connection to control was ended: %s", error)
        finally:
            self._idle.discard(task)
            await _end(writer)

    async def _converse(
        self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while self._server and self._server.is_serving():
            self._idle.add(task)
            message = await frames.read(reader)
            self._idle.discard(task)
            self._busy.add(task)
            try:
                await self._answer(message, writer)
            finally:
                self._busy.discard(task)

    async def _answer(self, message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        answer = await asyncio.get_running_loop().run_in_executor(self._threads, self._outcome, message)
        try:
            await frames.write(writer, answer)
        except frames.BadFrame:
            _log.exception("an answer that cannot be sent")
            await frames.write(writer, hop.error_message(internal_failure()))

    def _outcome(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            return hop.output_message(self._carry_out(message))
        except AWSError as error:
            return hop.error_message(error)
        except Exception as error:
            _log.exception("%s failed", _described(message))
            return hop.error_message(DiskFull() if is_full(error) else internal_failure())

    def _carry_out(self, message: dict[str, Any]) -> dict[str, Any]:
        if "ask" in message:
            return self._questions[message["ask"]](message["params"])
        return self._run(hop.call_of(message))


def internal_failure() -> AWSError:
    """An error of ours: the log says more, the client gets no more than this."""
    return AWSError("InternalFailure", "The request processing has failed because of an unknown error.", status=500)


async def _end(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def _described(message: dict[str, Any]) -> str:
    call = message.get("call")
    if not isinstance(call, dict):
        return f"question {message.get('ask')!r}"
    return f"{call.get('service')}.{call.get('operation')} (request {call.get('request_id')})"
