"""What waits for one endpoint, in which order, and what has waited for too long. Belongs to one event loop."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Awaitable, Collection, Iterable
from typing import NamedTuple

from clary.serving.asynchronous.requests import AsyncRequest
from clary.serving.chain import Walk
from clary.serving.client import Request, Response
from clary.serving.router import STRAIGHT, Replica
from clary.serving.routes import Target


class Asked:
    """The least busy replica, and which it was."""

    def __init__(self, target: Target | None = None) -> None:
        self.target = target
        """None: nobody yet."""

    def choose(self, replicas: Iterable[Replica]) -> Replica | None:
        """It has this request from now on."""
        chosen = STRAIGHT.choose(replicas)
        self.target = chosen.target if chosen else None
        return chosen

    def ask(self, replica: Replica, request: Request, walk: Walk) -> Awaitable[Response]:
        """Its answer. Raises NotSent, Broken."""
        return STRAIGHT.ask(replica, request, walk)


class Running(NamedTuple):
    """One that is under way."""

    request: AsyncRequest
    task: asyncio.Task[None]
    asked: Asked


class Backlog:
    """The queue of one endpoint: first come, first served."""

    def __init__(self) -> None:
        self._waiting: deque[AsyncRequest] = deque()
        self._expiring: list[tuple[float, str]] = []
        self.running: dict[str, Running] = {}
        """By the request's id."""
        self.not_before = 0.0
        """When the next may be begun, where nobody could be asked: on the monotonic clock."""

    def __len__(self) -> int:
        """All that wait or are under way."""
        return len(self._waiting) + len(self.running)

    def add(self, request: AsyncRequest) -> None:
        """At the end."""
        self._waiting.append(request)
        heapq.heappush(self._expiring, (request.expires, request.id))

    def put_back(self, request: AsyncRequest) -> None:
        """In front: it was first before."""
        self._waiting.appendleft(request)
        heapq.heappush(self._expiring, (request.expires, request.id))

    def next(self) -> AsyncRequest | None:
        """The one that has waited longest, which waits no more; None where none does."""
        return self._waiting.popleft() if self._waiting else None

    def expired(self, now: float) -> list[AsyncRequest]:
        """Those whose time is up (`now` in epoch seconds), which wait no more."""
        due = set()
        while self._expiring and self._expiring[0][0] <= now:
            due.add(heapq.heappop(self._expiring)[1])
        over = [request for request in self._waiting if request.id in due] if due else []
        if over:
            self._waiting = deque(request for request in self._waiting if request.id not in due)
        return over

    def occupied(self, targets: Collection[Target]) -> int:
        """How many are with one of these replicas, or will be: what one that has left works on keeps nobody waiting."""
        with_whom = (running.asked.target for running in self.running.values())
        return sum(target is None or target in targets for target in with_whom)

    def waiting(self) -> list[AsyncRequest]:
        """All that wait, in order."""
        return list(self._waiting)

    def oldest(self) -> float | None:
        """When the one that has waited longest was accepted (epoch seconds); None where none waits."""
        return self._waiting[0].accepted if self._waiting else None
