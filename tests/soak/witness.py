"""Clients that ask one endpoint all the while, and what they may be told: by the time at which each asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from tests.system.jobs import Jobs

CLIENTS = 4
PAUSE = 0.005
"""Seconds between a client's requests: some hundreds a second in all, beside which updates still make headway."""


class Told(NamedTuple):
    """One request, from `asked` to `answered` in seconds of the monotonic clock: what it was told, or how it failed."""

    asked: float
    answered: float
    model: str
    failure: str


@dataclass(frozen=True)
class May:
    """What holds from a moment on: which models may answer, and which failures are nobody's fault."""

    since: float
    models: frozenset[str]
    failures: tuple[str, ...]

    def explains(self, told: Told) -> bool:
        """Whether the request may have been told this."""
        if told.failure:
            return any(words in told.failure for words in self.failures)
        return told.model in self.models


class Witness:
    """What was told so far, held against what was allowed meanwhile."""

    def __init__(self) -> None:
        self._told: list[Told] = []
        self._allowed: list[May] = []
        self.answers = 0
        """Predictions that were looked at."""

    def allow(self, models: Collection[str], *failures: str) -> None:
        """From now on."""
        self._allowed.append(May(time.monotonic(), frozenset(models), failures))

    def tell(self, told: Told) -> None:
        """By any thread."""
        self._told.append(told)

    @property
    def last(self) -> Told | None:
        """The newest that has not been looked at."""
        return self._told[-1] if self._told else None

    def wrong(self) -> list[Told]:
        """What nothing explains that held while it was under way, of what was told since the last look."""
        told, self._told = self._told, []
        self.answers += sum(not each.failure for each in told)
        found = [each for each in told if not any(may.explains(each) for may in self._during(each))]
        self._forget(min((each.asked for each in told), default=0.0))
        return found

    def _during(self, told: Told) -> Iterator[May]:
        ends = [*(may.since for may in self._allowed[1:]), float("inf")]
        return (
            may
            for may, end in zip(self._allowed, ends, strict=True)
            if may.since <= told.answered and told.asked <= end
        )

    def _forget(self, before: float) -> None:
        """All that no request still under way can have met: none takes a minute."""
        while len(self._allowed) > 1 and self._allowed[1].since < before - 60:
            del self._allowed[0]


@contextmanager
def asking(jobs: Jobs, endpoint: str, witness: Witness) -> Iterator[None]:
    """Clients of their own until the end of the block."""
    over = threading.Event()

    def ask() -> None:
        runtime = jobs.clary.client("sagemaker-runtime")
        while not over.wait(PAUSE):
            witness.tell(_told(runtime, endpoint))

    with ThreadPoolExecutor(CLIENTS) as clients:
        asked = [clients.submit(ask) for _ in range(CLIENTS)]
        try:
            yield
        finally:
            over.set()
    for each in asked:
        each.result()


def _told(runtime: Any, endpoint: str) -> Told:
    asked = time.monotonic()
    try:
        answer = json.loads(runtime.invoke_endpoint(EndpointName=endpoint, Body=b"x")["Body"].read())
    except (ClientError, BotoCoreError) as failure:
        return Told(asked, time.monotonic(), "", f"{type(failure).__name__}: {failure}")
    return Told(asked, time.monotonic(), answer, "")
