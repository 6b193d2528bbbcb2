"""The /ping gate: a container is asked again and again until it answers 200; then its endpoint is woken.

The first tries follow one another closely, since most of a deployment's time is this wait. One thread with an event
loop asks for all containers, over the same client that carries predictions.

In service it is asked on. A server that computes one prediction after the other cannot answer meanwhile and is not
dead for it: its ping may wait its turn for as long as a prediction may take. No connection is kept, for such a server
would wait on it; except where the server says that it takes several requests at once: there it costs a tenth.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor

from clary.compute.base import Dial
from clary.serving.client import Broken, Connection, NotSent, Pool, Request, Response
from clary.store.rows import Key

PING_SECONDS = 2.0
"""A container has 2 seconds to answer /ping, as on AWS."""

FIRST_PAUSE = 0.005
LAST_PAUSE = 0.25
_GROWTH = 1.3

WATCH_PAUSE = 5.0
"""Seconds between two pings of a container in service, as on AWS."""

SILENT_SECONDS = 65.0
"""InvokeEndpoint's 60 seconds, and some more. A container that has not answered 200 for so long serves no more: no
prediction is before the ping any more, and no crowd of them before its connection."""

_PING = Request("GET", "/ping")

_log = logging.getLogger(__name__)


class HealthGate:
    """Which containers have answered, and which do no more. May be used from any thread."""

    def __init__(self, dial: Dial, wake: Callable[[Key], None]) -> None:
        self._dial = dial
        self._wake = wake
        self._lock = threading.Lock()
        self._asking: dict[str, Future[None]] = {}
        self._healthy: set[str] = set()
        self._watching: dict[str, Future[None]] = {}
        self._silent: set[str] = set()
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="dial-ping")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ping", daemon=True)
        self._thread.start()

    def probe(self, container: str, owner: Key) -> None:
        """Ask until it answers; `owner` is woken then. Asking twice is asking once."""
        with self._lock:
            if container not in self._asking:
                asking = self._ask_until_healthy(container, owner)
                self._asking[container] = asyncio.run_coroutine_threadsafe(asking, self._loop)

    def healthy(self, container: str) -> bool:
        """Whether it has answered 200 (since control started)."""
        with self._lock:
            return container in self._healthy

    def watch(self, container: str, owner: Key) -> None:
        """Ask on while it is in service; `owner` is woken should it serve no more. Asking twice is asking once."""
        with self._lock:
            if container not in self._watching:
                watching = self._ask_until_silent(container, owner)
                self._watching[container] = asyncio.run_coroutine_threadsafe(watching, self._loop)

    def silent(self, container: str) -> bool:
        """Whether it was watched and does not answer any more."""
        with self._lock:
            return container in self._silent

    def forget(self, container: str) -> None:
        """It is of no interest any more."""
        with self._lock:
            ended = [self._asking.pop(container, None), self._watching.pop(container, None)]
            self._healthy.discard(container)
            self._silent.discard(container)
        for asking in ended:
            if asking:
                asking.cancel()

    def close(self) -> None:
        """Stop asking."""
        asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._threads.shutdown(wait=False)

    async def _ask_until_healthy(self, container: str, owner: Key) -> None:
        pool = Pool(container, self._dial, self._threads)
        pause = FIRST_PAUSE
        with contextlib.closing(pool):
            while not await _answers(pool.ask(_PING), PING_SECONDS):
                await asyncio.sleep(pause)
                pause = min(pause * _GROWTH, LAST_PAUSE)
        with self._lock:
            if container in self._asking:
                self._healthy.add(container)
        self._wake(owner)

    async def _ask_until_silent(self, container: str, owner: Key) -> None:
        failing: float | None = None
        with contextlib.closing(_Line(Pool(container, self._dial, self._threads))) as line:
            while failing is None or self._loop.time() - failing < SILENT_SECONDS:
                await asyncio.sleep(WATCH_PAUSE)
                began = self._loop.time()
                alive = await _answers(line.ping(), SILENT_SECONDS)
                failing = None if alive else began if failing is None else failing
        with self._lock:
            if container in self._watching:
                self._silent.add(container)
        _log.warning("container %s of %s does not answer /ping any more", container, owner.name)
        self._wake(owner)


class _Line:
    """The way to one container in service. Belongs to one event loop."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._kept: Connection | None = None

    async def ping(self) -> Response:
        """Its answer. Raises NotSent, Broken."""
        if self._kept is not None:
            try:
                return await self._kept.ask(_PING.head(), b"")
            except (NotSent, Broken):  # the server has closed it: that says nothing yet
                self._kept = None
        connection = await self._pool.connect()
        answer = await connection.ask(_PING.head(), b"")
        if connection.pipelined and connection.reusable:
            self._kept = connection
        else:
            connection.close()
        return answer

    def close(self) -> None:
        """No more pings."""
        if self._kept is not None:
            self._kept.close()


async def _cancel_all() -> None:
    """End the loop's other tasks, and see them end: they close their connections."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _answers(asked: Awaitable[Response], seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return (await asked).status == 200
    except (NotSent, Broken, TimeoutError):
        return False
