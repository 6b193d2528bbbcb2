"""An event loop that two threads run in turns (docs/decisions/0073-who-waits-reads.md).

The main thread, which computes, runs it while it waits: what it reads it computes itself, without a thread to wake or
an interpreter's lock to hand over. When it has computed for longer than a moment, a stand-in runs the loop meanwhile.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Awaitable, Callable

_MOMENT = 0.02
"""Seconds for which nobody is read, nor pings are answered."""
_TICK = 1.0
"""How soon a signal is heard that came just before the main thread began to wait, which does not wake it."""


class Turns:
    """The main thread is anywhere else, until it calls `wait`: so the stand-in runs the loop from `start` on."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        """Who holds it runs the loop."""
        self._waits = False
        self._stands_in = False
        self._away = True
        self._times = 0
        """How often the main thread has left the loop."""
        self._closed = False
        self._has_left = threading.Event()
        self._lent = threading.Event()
        self._thread = threading.Thread(target=self._stand_in, name="http", daemon=True)

    def start(self) -> None:
        """From now on the loop is run."""
        self._has_left.set()
        self._lent.set()
        self._loop.call_soon(self._tick)
        self._thread.start()

    # for the main thread
    def wait(self, come: Callable[[], bool]) -> None:
        """Run the loop until `wake`, unless what is waited for has `come` by now."""
        self._take()
        self._waits = True
        try:
            if not come():
                self._loop.run_forever()
        finally:
            self._waits = False
            self._leave()

    def complete(self, awaited: Awaitable[None]) -> None:
        """Run the loop until this is done."""
        self._take()
        try:
            self._loop.run_until_complete(awaited)
        finally:
            self._leave()

    def lend(self) -> None:
        """The main thread will be away for long: the stand-in is to begin now."""
        if not self._stands_in:
            self._lent.set()

    def close(self) -> None:
        """Nobody runs the loop any more."""
        self._take()
        self._closed = True
        self._has_left.set()
        self._lent.set()
        self._thread.join()
        self._loop.close()

    def _take(self) -> None:
        self._away = False
        if not self._lock.acquire(blocking=False):
            self._loop.call_soon_threadsafe(self._give_way)
            self._lock.acquire()

    def _leave(self) -> None:
        self._lock.release()
        self._times += 1
        self._away = True
        if not self._has_left.is_set():  # setting it takes a lock
            self._has_left.set()

    # for the loop's thread, whichever it is
    def wake(self) -> None:
        """There is something for the main thread; what is ready now is still done before it goes."""
        if self._waits:
            self._loop.stop()

    def _give_way(self) -> None:
        if self._stands_in:
            self._loop.stop()

    def _tick(self) -> None:
        self._loop.call_later(_TICK, self._tick)

    # for the stand-in
    def _stand_in(self) -> None:
        while not self._closed:
            self._has_left.wait()
            times = self._times
            lent = self._lent.wait(_MOMENT)
            if lent:
                self._lent.clear()
            if self._away and (lent or times == self._times):
                self._run_meanwhile()
            elif times == self._times:
                self._rest(times)

    def _run_meanwhile(self) -> None:
        if not self._lock.acquire(blocking=False):
            return  # it is back
        self._stands_in = True
        try:
            self._loop.run_forever()
        finally:
            self._stands_in = False
            self._lock.release()

    def _rest(self, times: int) -> None:
        """Until it leaves again; it may have done so just now."""
        self._has_left.clear()
        if self._away or times != self._times:
            self._has_left.set()
