"""The queues of all asynchronous endpoints: what was acknowledged is carried out, however often Clary is killed.

Only one edge works on the files at a time. What another one has accepted meanwhile waits for it to end.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from clary.serving.asynchronous.backlog import Asked, Backlog, Running
from clary.serving.asynchronous.config import Asynchronous
from clary.serving.asynchronous.effects import Effects
from clary.serving.asynchronous.metering import AsyncMeter, Standing
from clary.serving.asynchronous.processing import MOST_DEATHS, Died, Processing, expiry, killer
from clary.serving.asynchronous.requests import AsyncRequest, Owner, RequestFiles
from clary.serving.router import NoReplica, Overloaded, Router, UnknownEndpoint
from clary.serving.routes import Route, Target

LOOK_SECONDS = 0.1
"""Between two looks at routes and at what has expired."""

_LATER_SECONDS = 0.5
"""Before the next is begun where no replica could be asked: one is being started, or replaced."""

_TROUBLE_SECONDS = 5.0
"""Before a request is begun again that something unforeseen has stopped."""

_THREADS = 4

_NOBODY = Target(())
"""Who has what is not given to any replica."""

Work = Callable[[], Awaitable[None]]

_log = logging.getLogger(__name__)


class AsyncWork:
    """The queues of one edge. Belongs to one event loop."""

    def __init__(self, folder: Path, router: Router, effects: Effects) -> None:
        self._files = RequestFiles(folder)
        self._router = router
        self.meter = AsyncMeter(self.standing)
        self._processing = Processing(router, effects, self._files, self.meter)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="asynchronous")
        self._backlogs: dict[Owner, Backlog] = {}
        self._lock: int | None = None
        self._early: list[AsyncRequest] = []  # accepted before the files are this edge's
        self._arriving: set[str] = (
            set()
        )  # being written: whoever accepts them adds them, also where they lie there already

    async def accept(self, request: AsyncRequest, body: bytes) -> None:
        """Keep it, durably, and carry it out beside. Raises OSError."""
        self._arriving.add(request.id)
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._files.write, request, body)
        finally:
            self._arriving.remove(request.id)
        if self._lock is None:
            self._early.append(request)
            return
        self._add(request)
        self._begin(request.owner)

    async def watch(self) -> None:
        """Take up what lies there, and follow the routes; runs as long as the edge. May be begun again."""
        if self._lock is None:
            await self._take_up()
        while True:
            for owner in list(self._backlogs):
                self._look(owner)
            await asyncio.sleep(LOOK_SECONDS)

    async def _take_up(self) -> None:
        lock = await self._taken_over()
        try:
            left = await asyncio.get_running_loop().run_in_executor(self._threads, self._files.left)
        except BaseException:
            os.close(lock)
            raise
        self._lock = lock
        early, self._early = self._early, []
        for request in {request.id: request for request in [*left, *early]}.values():
            if request.id not in self._arriving:
                self._add(request)

    async def _taken_over(self) -> int:
        """The lock of the files, once nobody else has it."""
        while True:
            lock = self._files.take_over()
            if lock is not None:
                return lock
            await asyncio.sleep(LOOK_SECONDS)

    def standing(self) -> Iterator[Standing]:
        """Of every asynchronous endpoint, also where nothing waits."""
        for name, route in self._router.routes().items() if self._lock is not None else ():
            if route.asynchronous is None:
                continue
            account, region, endpoint = name.split("/")
            owner = Owner(account, region, endpoint, route.asynchronous.id)
            backlog = self._backlogs.get(owner) or Backlog()
            oldest = backlog.oldest()
            age = time.time() - oldest if oldest else 0.0
            yield Standing(owner, len(backlog), len(backlog.waiting()), len(_targets(route)), age)

    def close(self) -> None:
        """The edge ends; what is not done stays."""
        backlogs, self._backlogs = self._backlogs, {}  # nothing more is begun
        for backlog in backlogs.values():
            for running in backlog.running.values():
                running.task.cancel()
        self._threads.shutdown(wait=False)
        if self._lock is not None:
            os.close(self._lock)

    def _add(self, request: AsyncRequest) -> None:
        self._backlogs.setdefault(request.owner, Backlog()).add(request)

    def _found(self, owner: Owner) -> tuple[Route, Asynchronous] | None:
        """None where the endpoint is there no more."""
        try:
            route = self._router.route(owner.account, owner.region, owner.endpoint)
        except UnknownEndpoint:
            return None
        config = route.asynchronous
        return (route, config) if config and config.id == owner.id else None

    def _look(self, owner: Owner) -> None:
        backlog, found = self._backlogs[owner], self._found(owner)
        if found is None:
            if self._router.published:
                self._drop(owner)
            return
        for request in backlog.expired(time.time()):
            self._start(backlog, request, Asked(_NOBODY), partial(self._expire, request, *found))
        self._begin(owner)
        if not backlog:
            del self._backlogs[owner]

    def _drop(self, owner: Owner) -> None:
        """Its endpoint was deleted: what waits is for nobody, what is under way is broken off."""
        backlog = self._backlogs.pop(owner)
        dropped = [*backlog.waiting(), *(running.request for running in backlog.running.values())]
        for running in backlog.running.values():
            running.task.cancel()
        if dropped:
            _log.info("endpoint %s was deleted, and with it %d requests", owner.endpoint, len(dropped))
        self._threads.submit(self._files.remove, dropped)

    def _begin(self, owner: Owner) -> None:
        """As many of those that wait as the instances may be given at once."""
        backlog, found = self._backlogs.get(owner), self._found(owner)
        if backlog is None or found is None or time.monotonic() < backlog.not_before:
            return
        route, config = found
        targets = _targets(route)
        room = len(targets) * config.per_instance - backlog.occupied(targets)
        while room > 0 and (request := backlog.next()):
            asked, room = Asked(), room - 1
            self._start(backlog, request, asked, partial(self._process, request, route, config, asked))

    def _start(self, backlog: Backlog, request: AsyncRequest, asked: Asked, work: Work) -> None:
        task = asyncio.get_running_loop().create_task(self._guarded(request, work))
        backlog.running[request.id] = Running(request, task, asked)
        task.add_done_callback(partial(self._ended, backlog, request))

    def _ended(self, backlog: Backlog, request: AsyncRequest, task: asyncio.Task[None]) -> None:
        running = backlog.running.get(request.id)
        if running is not None and running.task is task:  # else it was put back, and begun again
            del backlog.running[request.id]
        if self._backlogs.get(request.owner) is backlog:
            self._begin(request.owner)

    async def _guarded(self, request: AsyncRequest, work: Work) -> None:
        """Nothing that goes wrong with one request loses it."""
        try:
            await work()
        except Exception:
            _log.exception("asynchronous request %s to %s was stopped", request.id, request.owner.endpoint)
            await asyncio.sleep(_TROUBLE_SECONDS)
            self._put_back(request, 0.0)

    def _put_back(self, request: AsyncRequest, seconds: float) -> None:
        """First in its queue again; nobody of that is begun for so long."""
        backlog = self._backlogs.get(request.owner)
        if backlog is not None:
            backlog.put_back(request)
            backlog.not_before = time.monotonic() + seconds

    async def _process(self, request: AsyncRequest, route: Route, config: Asynchronous, asked: Asked) -> None:
        if request.letter is not None:  # an edge before this one has come as far
            return await self._finish(request)
        try:
            variant = self._router.variant(route, None)
            over = await self._processing.carry_out(request, config, variant, asked)
        except (NoReplica, Overloaded):
            return self._put_back(request, _LATER_SECONDS)
        except Died as error:
            request = replace(request, deaths=request.deaths + 1)
            if request.deaths < MOST_DEATHS:
                await self._keep(request)
                return self._put_back(request, _LATER_SECONDS)
            over = await self._processing.fail(request, config, variant, killer(error))
        return await self._finish(over)

    async def _expire(self, request: AsyncRequest, route: Route, config: Asynchronous) -> None:
        if request.letter is None:
            request = await self._processing.fail(request, config, route.variants[0], expiry(request))
        await self._finish(request)

    async def _finish(self, over: AsyncRequest) -> None:
        """The outcome is written; from here on the model is not asked again."""
        if over.letter is not None:
            await self._keep(over)
            await self._processing.tell(over)
        self._processing.count(over)
        await asyncio.get_running_loop().run_in_executor(self._threads, self._files.remove, [over])

    async def _keep(self, request: AsyncRequest) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, self._files.write, request)


def _targets(route: Route) -> frozenset[Target]:
    return frozenset(target for variant in route.variants for target in variant.targets)
