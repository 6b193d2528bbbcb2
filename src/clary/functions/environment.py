"""One execution environment: the connection to the runtime inside, one invocation at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from clary.toolkit.function import frames


class Gone(Exception):
    """The connection has ended before the answer: the environment is no more."""


@dataclass(frozen=True)
class Place:
    """Where an environment is."""

    container: str
    log: str
    """The path of its log stream's file."""


@dataclass(frozen=True)
class Answer:
    """What a function has answered."""

    failed: bool
    payload: bytes


class Ending(Protocol):
    """How an environment ended."""

    @property
    def code(self) -> int:
        """The exit code as a shell gives it."""
        ...

    @property
    def signal(self) -> int | None:
        """That ended it."""
        ...

    @property
    def out_of_memory(self) -> bool:
        """It had used more than its function may."""
        ...

    @property
    def reason(self) -> str:
        """Why it never ran, or what it was ended for."""
        ...


class Freezer(Protocol):
    """By which an environment is kept from running while it has nothing to do; neither of the two waits."""

    def stop(self) -> None:
        """Nothing of it runs."""
        ...

    def go(self) -> None:
        """It goes on."""
        ...

    def close(self) -> None:
        """It goes on, and is not stopped any more."""
        ...


class Sandboxes(Protocol):
    """The containers as the data plane reaches them; may be called from any thread."""

    def dial(self, container: str) -> Any:  # noqa: ANN401  a connected, non-blocking socket
        """Raises ConnectionRefusedError while nothing listens there, FileNotFoundError where the container is gone."""
        ...

    def freezer(self, container: str) -> Freezer | None:
        """None where an environment cannot be stopped."""
        ...

    def kill(self, container: str, grace: float) -> None:
        """End it where it has not ended by itself within `grace` seconds."""
        ...

    def ending(self, container: str) -> Ending | None:
        """How it ended; None while it runs, and where nobody knows."""
        ...


class Connection(asyncio.Protocol):
    """Frames to and from one runtime."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._answer: asyncio.Future[tuple[frames.Head, bytes]] | None = None
        self.open = True
        self.memory = 0
        """MB that the runtime held when it spoke last."""

    async def receive(self) -> tuple[frames.Head, bytes]:
        """The next frame. Raises Gone."""
        if not self.open:
            raise Gone
        self._answer = asyncio.get_running_loop().create_future()
        self._look()
        try:
            head, body = await self._answer
        finally:
            self._answer = None
        used = head.get("memory")
        self.memory = used if isinstance(used, int) else self.memory
        return head, body

    async def ask(self, head: Mapping[str, Any], event: bytes) -> Answer:
        """One invocation. Raises Gone."""
        if not self.open or self._transport is None:
            raise Gone
        self._transport.write(frames.pack(dict(head), event))
        said, payload = await self.receive()
        if said.get("id") != head["id"]:
            self.close()
            raise Gone
        return Answer(bool(said.get("error")), payload)

    def close(self) -> None:
        """The environment ends."""
        self.open = False
        if self._transport is not None:
            self._transport.abort()

    def _look(self) -> None:
        if self._answer is None or self._answer.done():
            return
        try:
            frame = frames.unpack(self._buffer)
        except frames.BadFrame:
            self.close()
            self._answer.set_exception(Gone())
            return
        if frame is not None:
            self._answer.set_result(frame)

    # asyncio.Protocol
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop. What comes unasked is kept for whoever asks next, up to a frame's length."""
        self._buffer += data
        if len(self._buffer) > frames.MOST:
            self.close()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self.open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Gone())


@dataclass
class Environment:
    """One of them, as its pool knows it. Times of the monotonic clock."""

    place: Place
    connection: Connection
    revision: str
    began: float
    freezer: Freezer | None = None
    idle_since: float = 0.0

    def rest(self) -> None:
        """It has nothing to do: threads and programs that the function has left do not run, as on AWS."""
        self.idle_since = time.monotonic()
        if self.freezer is not None:
            self.freezer.stop()

    def wake(self) -> None:
        """It is about to be asked."""
        if self.freezer is not None:
            self.freezer.go()

    def close(self) -> None:
        """Let go of it: it ends."""
        self.connection.close()
        if self.freezer is not None:
            self.freezer.close()
