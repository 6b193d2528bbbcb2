"""The edge's door to control: a pool of connections, each carrying one call at a time.

Control may be away for a moment (killed, being started again): its listening socket is the supervisor's, so callers
queue there. A call that has not been greeted in time is answered 503, and nothing of it has happened.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from clary import hop
from clary.addresses import unix_address
from clary.calls import Call
from clary.errors import ServiceUnavailable
from clary.wire import frames
from clary.within import within

PATIENCE = 10.0
"""Seconds that a call waits for control to be there: longer than its start takes, shorter than SDKs wait."""

ANSWER = 60.0
"""Seconds that control has for one call: SDKs give up then."""

CONNECTIONS = 64

_READING = ("Describe", "List", "Get", "Head", "Filter", "Search", "Simulate", "BatchGet", "BatchCheck")
_AGAIN = (*_READING, "Decrypt", "GenerateDataKey")
"""Operations that may be carried out twice: they leave nothing behind, or nothing that matters."""


class ControlLost(Exception):
    """Control ended while it had the call: it may have carried it out or not."""


class _Line(asyncio.Protocol):
    """One connection: a message goes each way in turn."""

    def __init__(self) -> None:
        self._frames = frames.Frames()
        self._waiting: asyncio.Future[Any] | None = None
        self._early: Any = None
        """Came before it was asked for: the greeting."""
        self._ended: Exception | None = None
        self._poll = select.poll()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.Transport", transport)
        self._loop = asyncio.get_running_loop()
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        try:
            for message in self._frames.feed(data):
                self._tell(message)
        except frames.BadFrame as error:
            self._end(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._end(exc or EOFError("the connection ended"))

    @property
    def sound(self) -> bool:
        """Asks the kernel: the event loop may not have seen yet that control is gone. Idle, it has nothing to say."""
        return self._ended is None and not self._poll.poll(0)

    async def ask(self, message: Any) -> Any:  # noqa: ANN401  what frames carry
        """Control's answer. Raises EOFError, OSError, BadFrame."""
        self._transport.write(frames.pack(message))
        return await self.read()

    async def read(self) -> Any:  # noqa: ANN401
        """The next message. Raises EOFError, OSError, BadFrame."""
        if self._early is not None:
            early, self._early = self._early, None
            return early
        if self._ended is not None:
            raise self._ended
        self._waiting = self._loop.create_future()
        return await self._waiting

    def close(self) -> None:
        """Let go of it."""
        self._transport.close()

    def _tell(self, message: Any) -> None:  # noqa: ANN401
        if self._waiting is None:
            self._early = message
        elif not self._waiting.done():
            self._waiting.set_result(message)
        self._waiting = None

    def _end(self, error: Exception) -> None:
        self._ended = self._ended or error
        self._transport.close()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)


class ControlDoor:
    """A `calls.Door` that leads to control."""

    def __init__(self, path: Path, *, patience: float = PATIENCE, answer: float = ANSWER) -> None:
        self._path = path
        self._patience = patience
        self._answer = answer
        self._idle: list[_Line] = []
        self._places = asyncio.Semaphore(CONNECTIONS)

    async def __call__(self, call: Call) -> dict[str, Any]:
        """The output. Raises AWSError: control's own, or ServiceUnavailable where control is away."""
        message = hop.call_message(call)
        try:
            return await self._exchange(message)
        except ControlLost as lost:
            if not call.operation.startswith(_AGAIN):
                raise ServiceUnavailable("The service was interrupted while it worked on the request.") from lost
        await self.close()  # a process that dies closes one connection after another: the others lead to it too
        return await self._again(message)

    async def ask(self, name: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """One of Clary's own requests. Raises as `__call__` does."""
        return await self._again(hop.question(name, params))

    async def close(self) -> None:
        """Let go of the idle connections."""
        while self._idle:
            self._idle.pop().close()

    async def _again(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self._exchange(message)
        except ControlLost as lost:
            raise ServiceUnavailable("The service was interrupted while it worked on the request.") from lost

    async def _exchange(self, message: dict[str, Any]) -> dict[str, Any]:
        """A connection is kept for the next call if this one ends well."""
        line = await self._take()
        try:
            answer = await self._asked(line, message)
        except BaseException:
            line.close()
            raise
        else:
            self._idle.append(line)
        finally:
            self._places.release()
        return hop.outcome(answer)

    async def _asked(self, line: _Line, message: dict[str, Any]) -> dict[str, Any]:
        try:
            with within(self._answer):
                answer: dict[str, Any] = await line.ask(message)
        except TimeoutError as late:
            raise ServiceUnavailable("The request was not answered in time.") from late
        except (EOFError, OSError, frames.BadFrame) as ended:
            raise ControlLost from ended
        return answer

    async def _take(self) -> _Line:
        """A greeted connection."""
        try:
            with within(self._patience):
                await self._places.acquire()
                return await self._greeted()
        except TimeoutError as late:
            raise ServiceUnavailable("The service is starting; please try again.") from late

    async def _greeted(self) -> _Line:
        try:
            while self._idle:
                line = self._idle.pop()
                if line.sound:
                    return line
                line.close()
            return await self._open()
        except BaseException:
            self._places.release()
            raise

    async def _open(self) -> _Line:
        """A new connection; tries until the caller's time is up, since control may end before it greets."""
        while True:
            try:
                return await self._connect()
            except (EOFError, OSError, frames.BadFrame):
                await asyncio.sleep(0.05)

    async def _connect(self) -> _Line:
        with unix_address(self._path) as address:
            _, line = await asyncio.get_running_loop().create_unix_connection(_Line, address)
        try:
            await line.read()
        except BaseException:
            line.close()
            raise
        return line
