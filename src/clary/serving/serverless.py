"""Requests to serverless variants: each has a replica of its own, a free one or one that control starts for it
(https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html, docs/decisions/0043).

An edge counts the requests under way and tells control how many there are, where they are more than replicas, and which
replicas have had nothing to do for long. Control writes down what is wanted; who waits sees by the routes what has
become of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from clary.errors import AWSError
from clary.serving.chain import Walk
from clary.serving.client import Broken, NotSent, Request, Response
from clary.serving.fleet import Fleet, Turn
from clary.serving.router import WATCH_SECONDS, NoReplica, Replica, Router
from clary.serving.routes import OnDemand, VariantRoute
from clary.within import within

QUESTION = "serverless"
"""What control is asked."""

_SOON = 0.004
"""Between two looks at the routes while somebody waits: a cold start is not to be longer for it."""

Ask = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""Has control have as many replicas as are needed. Raises AWSError."""


class Throttled(Exception):
    """As many requests are under way as there may be at once."""


class Serverless:
    """One edge's requests to serverless variants. Belongs to one event loop."""

    def __init__(
        self, router: Router, ask: Ask, *, idle_seconds: float, start_seconds: float, answer_seconds: float
    ) -> None:
        """A replica that has nothing to do for `idle_seconds` is let go. A request waits `start_seconds` for one, and
        `answer_seconds` for its answer."""
        self._router = router
        self._ask_control = ask
        self._idle_seconds = idle_seconds
        self._start_seconds = start_seconds
        self._answer_seconds = answer_seconds
        self._fleets: dict[tuple[str, str], Fleet] = {}
        self._seen = -1
        self._asking: dict[Fleet, asyncio.Task[None]] = {}
        self._somebody_waits = asyncio.Event()

    async def ask(self, endpoint: str, variant: str, request: Request, walk: Walk, turn: Turn) -> Response:
        """The answer of a replica that has nothing else to do; `endpoint` as its route is published. What becomes of it
        is noted in `turn`.

        Raises Throttled, CannotStart, NoReplica, Broken, AWSError; TimeoutError where the answer takes too long, and
        ValueError for a header that cannot be sent.
        """
        self._follow()
        fleet = self._fleets.get((endpoint, variant))
        if fleet is None:
            raise NoReplica(variant)
        with _counted(fleet, turn):
            return await self._answer(fleet, request, walk, turn)

    async def watch(self) -> None:
        """Gives new replicas to those who wait, and lets those go that nobody needs; runs as long as the edge."""
        while True:
            await self._pause()
            self._follow()
            for fleet in self._fleets.values():
                self._tend(fleet)

    async def _pause(self) -> None:
        if any(fleet.waits for fleet in self._fleets.values()):
            await asyncio.sleep(_SOON)
            return
        self._somebody_waits.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(WATCH_SECONDS):
                await self._somebody_waits.wait()

    async def _answer(self, fleet: Fleet, request: Request, walk: Walk, turn: Turn) -> Response:
        """A replica that cannot be reached is passed over. One that has died with the request in its hands is replaced
        by another, once, as for instances (docs/decisions/0017)."""
        while True:
            with self._held(fleet, await self._replica(fleet, turn)) as replica:
                try:
                    with within(self._answer_seconds):
                        return await self._router.ask_one(replica, request, walk)
                except NotSent:
                    fleet.leaving.add(replica.target)
                except Broken:
                    walk.deaths += 1
                    if fleet.variant.once or walk.deaths > 1 or await replica.chain.reachable(walk.at):
                        raise
                    fleet.leaving.add(replica.target)

    @contextmanager
    def _held(self, fleet: Fleet, replica: Replica) -> Iterator[Replica]:
        try:
            yield replica
        finally:
            self._give(fleet, replica)

    async def _replica(self, fleet: Fleet, turn: Turn) -> Replica:
        """One that is free, now or later. Raises CannotStart, NoReplica, AWSError."""
        replica = fleet.take(self._router.replica)
        if replica is not None:
            return replica
        loop = asyncio.get_running_loop()
        began, waiting = loop.time(), fleet.wait()
        self._tend(fleet)
        self._somebody_waits.set()
        try:
            async with asyncio.timeout(self._start_seconds):
                return await waiting
        except TimeoutError:
            self._not_waiting(fleet, waiting)
            raise fleet.too_late(self._start_seconds) from None
        except asyncio.CancelledError:
            self._not_waiting(fleet, waiting)
            raise
        finally:
            turn.waited += loop.time() - began

    def _not_waiting(self, fleet: Fleet, waiting: asyncio.Future[Replica]) -> None:
        """Who waits no longer may have been given a replica in this very moment."""
        if waiting.done() and not waiting.cancelled() and waiting.exception() is None:
            self._give(fleet, waiting.result())

    def _give(self, fleet: Fleet, replica: Replica) -> None:
        fleet.give(replica.target, asyncio.get_running_loop().time())
        fleet.hand_out(self._router.replica)

    def _follow(self) -> None:
        """What the routes say now."""
        generation = self._router.refresh()
        if generation == self._seen:
            return
        self._seen, now = generation, asyncio.get_running_loop().time()
        there: dict[tuple[str, str], tuple[VariantRoute, OnDemand]] = {
            (endpoint, variant.name): (variant, variant.on_demand)
            for endpoint, variant in self._router.variants()
            if variant.on_demand is not None
        }
        for key in self._fleets.keys() - there.keys():
            self._fleets.pop(key).fail(NoReplica(key[1]))
        for key, (variant, on_demand) in there.items():
            fleet = self._fleets.setdefault(key, Fleet(key[0], variant, on_demand))
            fleet.follow(variant, on_demand, now)
            self._tend(fleet)

    def _tend(self, fleet: Fleet) -> None:
        fleet.hand_out(self._router.replica)
        if fleet in self._asking:
            return
        fleet.let_go(asyncio.get_running_loop().time() - self._idle_seconds)
        if fleet.lacks or fleet.leaving - fleet.told:
            self._asking[fleet] = asyncio.get_running_loop().create_task(self._tell(fleet))

    async def _tell(self, fleet: Fleet) -> None:
        """Where control is away those who wait are told; what was to be let go stays until the next time."""
        wanted, told = fleet.asks()
        try:
            await self._ask_control(
                {
                    "endpoint": fleet.endpoint,
                    "variant": fleet.variant.name,
                    "config": fleet.variant.config,
                    "wanted": wanted,
                    "gone": [container for target in told for container in target.containers],
                }
            )
        except AWSError as error:
            fleet.unheard(told, error)
        finally:
            del self._asking[fleet]


@contextmanager
def _counted(fleet: Fleet, turn: Turn) -> Iterator[None]:
    """One of the requests that are under way. Raises Throttled."""
    if fleet.busy >= fleet.on_demand.most:
        raise Throttled(fleet.variant.name)
    fleet.busy += 1
    turn.concurrency, turn.on_demand = fleet.busy, fleet.on_demand
    try:
        yield
    finally:
        fleet.busy -= 1
