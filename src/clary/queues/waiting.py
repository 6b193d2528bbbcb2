"""Waiting at the edge for messages: one question to control at a time, for however many wait."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from clary.errors import AWSError

QUESTION = "queue-arrivals"
RECEIVE = "queue-receive"

LISTENING_SECONDS = 1.0
"""How long control keeps one question: it ends no sooner than its questions."""

_AWAY_SECONDS = 0.5

Ask = Callable[[str, Mapping[str, Any]], Awaitable[dict[str, Any]]]
"""A question to control. Raises AWSError."""

_log = logging.getLogger(__name__)


class Waiting:
    """Of one edge. Belongs to one event loop."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._heard = 0
        self._known_from = 0
        """What came after this number is in `_last`."""
        self._last: dict[str, int] = {}
        self._listening: asyncio.Task[None] | None = None

    async def arrival(self, queue: str, after: int, seconds: float) -> None:
        """Until something came into the queue after the number `after`, or for so many seconds; or at once, where
        nobody here knows whether something has."""
        if self._last.get(queue, 0) > after or (self._listens and after < self._known_from):
            return
        came = asyncio.Event()
        waiting = self._waiting.setdefault(queue, set())
        waiting.add(came)
        self._listen(after)
        try:
            async with asyncio.timeout(seconds):
                await came.wait()
        except TimeoutError:
            return
        finally:
            waiting.discard(came)
            if not waiting and self._waiting.get(queue) is waiting:
                del self._waiting[queue]

    @property
    def _listens(self) -> bool:
        return self._listening is not None and not self._listening.done()

    def _listen(self, after: int) -> None:
        if not self._listens:
            self._heard = self._known_from = after
            self._last.clear()
            self._listening = asyncio.get_running_loop().create_task(self._hear())

    async def _hear(self) -> None:
        while self._waiting:
            try:
                said = await self.ask(QUESTION, {"after": self._heard, "seconds": LISTENING_SECONDS})
            except AWSError as error:
                _log.info("arrivals of messages are not heard: %s", error)
                await asyncio.sleep(_AWAY_SECONDS)
                continue
            self._heard = said["newest"]
            if said["queues"] is None or self._heard < self._known_from:  # another control, whose clock was put back
                self._known_from = self._heard
            self._wake(self._waiting if said["queues"] is None else said["queues"])

    def _wake(self, queues: Any) -> None:  # noqa: ANN401 - names, of a list or of a dict
        for queue in list(queues):
            self._last[queue] = self._heard
            for came in self._waiting.get(queue, ()):
                came.set()
