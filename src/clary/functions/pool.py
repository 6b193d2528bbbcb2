"""The execution environments of one edge: who is idle, who is busy, and how many there may be.

The number of invocations under way is the concurrency of AWS: of a function with reserved concurrency its own, of all
others together the account's.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from clary.functions.environment import Connection, Environment, Gone, Place, Sandboxes
from clary.functions.errors import failed, throttled
from clary.functions.table import Function, Version, function_id

IDLE_SECONDS = 300.0
"""An environment that nobody has asked for so long ends: AWS says only that it is some minutes."""

LONGEST_SECONDS = 2 * 3600.0
"""An older one is used no more: its credentials last for twelve hours, an invocation for a quarter of one."""

START_SECONDS = 60.0
"""From asking control until the runtime listens: a sandbox takes some 50 ms, an engine half a second, on a machine
without rest both take more."""

INIT_SECONDS = 10.0
"""The time that AWS gives to a function's module to be imported, before the invocation's own time begins."""

_PAUSE = 0.003
_LATER_PAUSE = 0.02
_SOON_SECONDS = 0.2
_DIALLERS = 16
_EXIT_SECONDS = 20.0
"""How long one whose connection is lost may take to end by itself, and to be known to have: an engine of a busy machine
takes some, and what it ended with is the answer."""

Start = Callable[[Function, Version], Awaitable[Place]]
"""Has control start a container for a version. Raises AWSError."""


class NeverReady(Exception):
    """An environment that ended, or was ended, before its runtime was ready."""

    def __init__(self, place: Place, *, late: bool) -> None:
        super().__init__(place.container)
        self.place = place
        self.late = late
        """It took longer than INIT_SECONDS."""


class Pool:
    """Environments by function and revision. Belongs to one event loop."""

    def __init__(self, start: Start, sandboxes: Sandboxes, most: int) -> None:
        self._start = start
        self._sandboxes = sandboxes
        self._most = most
        self._idle: dict[str, list[Environment]] = {}
        self._busy: Counter[str] = Counter()
        self._unreserved = 0
        self._threads = ThreadPoolExecutor(_DIALLERS, thread_name_prefix="function")

    @contextlib.asynccontextmanager
    async def turn(self, function: Function) -> AsyncIterator[int]:
        """A place among the invocations under way, and how many the function has with it. Raises Throttled's error."""
        name, reserved = _name(function), function.reserved
        if reserved is not None and self._busy[name] >= reserved:
            raise throttled(reserved=True)
        if reserved is None and self._unreserved >= self._most:
            raise throttled(reserved=False)
        self._busy[name] += 1
        self._unreserved += reserved is None
        try:
            yield self._busy[name]
        finally:
            self._busy[name] -= 1
            self._unreserved -= reserved is None

    async def take(self, function: Function, version: Version) -> Environment:
        """One that has nothing to do, the one used last first; else a new one, with its runtime ready.

        Raises NeverReady, and AWSError where none can be started.
        """
        now = time.monotonic()
        idle = self._idle.get(_name(function), [])
        for environment in reversed(idle):
            if environment.revision == version.revision and _is_good(environment, now):
                idle.remove(environment)
                environment.wake()
                return environment
        return await self._begin(function, version)

    def give(self, function: Function, environment: Environment) -> None:
        """It has answered and may be asked again."""
        environment.rest()
        self._idle.setdefault(_name(function), []).append(environment)

    async def end(self, environment: Environment, *, gone: bool) -> None:
        """End it, whatever it is doing; when this returns nothing of it runs.

        One that is `gone`, its connection lost, is left to end by itself: else nobody would know how it did.
        """
        environment.close()
        await self._kill(environment.place.container, gone=gone)

    def prune(self, revisions: Collection[str]) -> None:
        """Let go of those that have been idle for long, and of those whose version is there no more."""
        now = time.monotonic()
        for name, idle in list(self._idle.items()):
            kept = [each for each in idle if each.revision in revisions and _is_fresh(each, now)]
            for environment in idle:
                if environment not in kept:
                    environment.close()
            if kept:
                self._idle[name] = kept
            else:
                del self._idle[name]

    def close(self) -> None:
        """The edge ends, and so do they."""
        self.prune(())
        self._threads.shutdown(wait=False)

    async def in_thread(self, call: Callable[..., Any], *arguments: Any) -> Any:  # noqa: ANN401  whatever it returns
        """For what waits for a shim or a file."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *arguments)

    async def _begin(self, function: Function, version: Version) -> Environment:
        place = await self._start(function, version)
        began = time.monotonic()
        connection = await self._connect(place)
        try:
            async with asyncio.timeout(max(INIT_SECONDS, version.timeout)):
                await connection.receive()
        except (TimeoutError, Gone) as error:
            late = isinstance(error, TimeoutError)
            connection.close()
            await self._kill(place.container, gone=not late)
            raise NeverReady(place, late=late) from error
        freezer = await self.in_thread(self._sandboxes.freezer, place.container)
        return Environment(place, connection, version.revision, began, freezer)

    async def _kill(self, container: str, *, gone: bool) -> None:
        await self.in_thread(self._sandboxes.kill, container, _EXIT_SECONDS if gone else 0.0)

    async def _connect(self, place: Place) -> Connection:
        loop, began = asyncio.get_running_loop(), time.monotonic()
        while (now := time.monotonic()) < began + START_SECONDS:
            pause = _PAUSE if now < began + _SOON_SECONDS else _LATER_PAUSE
            try:
                sock: socket.socket = await self.in_thread(self._sandboxes.dial, place.container)
            except ConnectionRefusedError:
                await asyncio.sleep(pause)
            except FileNotFoundError:
                if await self.in_thread(self._sandboxes.ending, place.container) is not None:
                    raise NeverReady(place, late=False) from None
                await asyncio.sleep(pause)
            else:
                _, connection = await loop.create_connection(Connection, sock=sock)
                return connection
        await self._kill(place.container, gone=False)
        raise failed(f"The execution environment did not start within {START_SECONDS:.0f} seconds.")


def _name(function: Function) -> str:
    return function_id(function.account, function.region, function.name)


def _is_good(environment: Environment, now: float) -> bool:
    return environment.connection.open and now - environment.began < LONGEST_SECONDS


def _is_fresh(environment: Environment, now: float) -> bool:
    return _is_good(environment, now) and now - environment.idle_since < IDLE_SECONDS
