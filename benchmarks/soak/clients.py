"""Clients that ask without end, each at its own pace; what they are told is held against what may be said.

They live on one event loop, in a thread of its own, with what is measured each second.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

from benchmarks.soak.connection import Answer, Broken, Connection, Signer
from benchmarks.soak.series import Second, Tally, Watch
from tests.running import RunningClary, wait_until
from tests.soak.witness import Told, Witness

USES = 25
"""So often a request is sent before the next one is signed: clients are to cost little."""

AGAIN_SECONDS = 0.02
"""Until a client tries again to whom nobody listens."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Asking:
    """Some clients of one endpoint."""

    endpoint: str
    clients: int
    headers: Sequence[Mapping[str, str]] = ({},)
    """Of one request after the other, in turns."""
    measured: bool = True
    """Whether what it answers is among the latencies: a model that is slow by itself says nothing of Clary's."""
    witness: Witness = field(default_factory=Witness, compare=False)


class Clients:
    """`with` them: they ask until the end of the block. `seconds` is what was measured."""

    def __init__(self, clary: RunningClary, asked: Sequence[Asking], per_second: float) -> None:
        """All of them together send so many requests in a second, where they are answered in time."""
        self.signer = Signer(clary)
        self.seconds: list[Second] = []
        self.began = time.monotonic()
        self._asked = asked
        self._pause = sum(asking.clients for asking in asked) / per_second
        self._watch = Watch(clary)
        self._tally = Tally()
        self._answered: dict[object, float] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="clients")
        self._running: list[Future[None]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        self.began = time.monotonic()
        self._running.append(self._submit(self._measure()))
        self._running += [self._submit(self._ask(asking)) for asking in self._asked for _ in range(asking.clients)]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for each in self._running:
            each.cancel()
        self.run(_settled())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do it among the clients; what comes of it."""
        return self._submit(work).result()

    def check(self) -> None:
        """Raises what has ended a client."""
        for each in self._running:
            if each.done():
                each.result()

    def answered_since(self, moment: float, seconds: float) -> None:
        """Wait until each has been answered that asked later than that. Raises AssertionError."""
        wait_until(lambda: all(at > moment for at in self._answered.values()), seconds, "every client is answered")

    def _submit(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _ask(self, asking: Asking) -> None:
        connection, me, number = Connection(self.signer.port), object(), 0
        due = self._loop.time()
        try:
            while True:
                headers = asking.headers[number % len(asking.headers)]
                number += 1
                request = self.signer.request(asking.endpoint, headers)
                for _ in range(USES):
                    due = max(due + self._pause, self._loop.time())
                    await asyncio.sleep(due - self._loop.time())
                    told = await _told(connection, request)
                    self._note(asking, told)
                    if not told.failure:
                        self._answered[me] = told.asked
        finally:
            connection.close()

    def _note(self, asking: Asking, told: Told) -> None:
        asking.witness.tell(told)
        if told.failure:
            self._tally.failures[told.failure] += 1
        elif asking.measured:
            self._tally.took.append(told.answered - told.asked)

    async def _measure(self) -> None:
        due = self._loop.time()
        while True:
            due += 1.0
            await asyncio.sleep(due - self._loop.time())
            self.seconds.append(self._tally.closed(self._loop.time() - self.began, self._watch.look()))


async def _told(connection: Connection, request: bytes) -> Told:
    asked = time.monotonic()
    try:
        answer = await connection.ask(request)
    except Broken as failure:
        told = Told(asked, time.monotonic(), "", str(failure))
        await asyncio.sleep(AGAIN_SECONDS)
        return told
    return Told(asked, time.monotonic(), *_said(answer))


def _said(answer: Answer) -> tuple[str, str]:
    """Which model has answered, or how the request failed."""
    return (json.loads(answer.body), "") if answer.status == 200 else ("", f"{answer.status} {answer.code}")


async def _settled() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
