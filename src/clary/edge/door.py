"""The edge's door to control: a pool of connections, each carrying one call at a time.

Control may be away for a moment (killed, being started again): its listening socket is the supervisor's, so callers
queue there. A call that has not been greeted in time is answered 503, and nothing of it has happened.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clary import hop
from clary.addresses import unix_address
from clary.calls import Call
from clary.errors import ServiceUnavailable
from clary.wire import frames

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


@dataclass(frozen=True)
class _Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def sound(self) -> bool:
        """Asks the kernel: the event loop may not have seen yet that control is gone. Idle, it has nothing to say."""
        if self.reader.at_eof() or self.writer.is_closing():
            return False
        poll = select.poll()
        poll.register(self.writer.get_extra_info("socket").fileno(), select.POLLIN)
        return not poll.poll(0)


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
        return await self._again(message)

    async def ask(self, name: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """One of Clary's own requests. Raises as `__call__` does."""
        return await self._again(hop.question(name, params))

    async def close(self) -> None:
        """Let go of the idle connections."""
        while self._idle:
            self._idle.pop().writer.close()

    async def _again(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self._exchange(message)
        except ControlLost as lost:
            raise ServiceUnavailable("The service was interrupted while it worked on the request.") from lost

    async def _exchange(self, message: dict[str, Any]) -> dict[str, Any]:
        async with self._line() as line:
            try:
                async with asyncio.timeout(self._answer):
                    await frames.write(line.writer, message)
                    answer = await frames.read(line.reader)
            except TimeoutError as late:
                raise ServiceUnavailable("The request was not answered in time.") from late
            except (EOFError, OSError, frames.BadFrame) as ended:
                raise ControlLost from ended
        return hop.outcome(answer)

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[_Line]:
        """A greeted connection, kept for the next call if this one ends well."""
        line = await self._take()
        try:
            yield line
        except BaseException:
            line.writer.close()
            raise
        else:
            self._idle.append(line)
        finally:
            self._places.release()

    async def _take(self) -> _Line:
        try:
            async with asyncio.timeout(self._patience):
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
                line.writer.close()
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
            reader, writer = await asyncio.open_unix_connection(address, limit=2**18)
        try:
            await frames.read(reader)
        except BaseException:
            writer.close()
            raise
        return _Line(reader, writer)
