"""The /ping gate: a container is asked again and again until it answers 200; then its endpoint is woken.

The first tries follow one another closely, since most of a deployment's time is this wait. One thread with an event
loop asks for all containers, over the same client that carries predictions.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from clary.compute.base import Dial
from clary.serving.client import Broken, NotSent, Pool, Request
from clary.store.rows import Key

PING_SECONDS = 2.0
"""A container has 2 seconds to answer /ping, as on AWS."""

FIRST_PAUSE = 0.005
LAST_PAUSE = 0.25
_GROWTH = 1.3

_PING = Request("GET", "/ping")


class HealthGate:
    """Which containers have answered. May be used from any thread."""

    def __init__(self, dial: Dial, wake: Callable[[Key], None]) -> None:
        self._dial = dial
        self._wake = wake
        self._lock = threading.Lock()
        self._asking: dict[str, Future[None]] = {}
        self._healthy: set[str] = set()
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

    def forget(self, container: str) -> None:
        """It is of no interest any more."""
        with self._lock:
            asking = self._asking.pop(container, None)
            self._healthy.discard(container)
        if asking:
            asking.cancel()

    def close(self) -> None:
        """Stop asking."""
        for container in list(self._asking):
            self.forget(container)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._threads.shutdown(wait=False)

    async def _ask_until_healthy(self, container: str, owner: Key) -> None:
        pool = Pool(container, self._dial, self._threads)
        pause = FIRST_PAUSE
        with contextlib.closing(pool):
            while not await _answers(pool):
                await asyncio.sleep(pause)
                pause = min(pause * _GROWTH, LAST_PAUSE)
        with self._lock:
            if container in self._asking:
                self._healthy.add(container)
        self._wake(owner)


async def _answers(pool: Pool) -> bool:
    try:
        async with asyncio.timeout(PING_SECONDS):
            return (await pool.ask(_PING)).status == 200
    except (NotSent, Broken, TimeoutError):
        return False
