"""The replicas of one serverless variant, as an edge uses them: who is free, who waits, how many are lacking."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from clary.serving.router import Replica
from clary.serving.routes import OnDemand, Target, VariantRoute

Find = Callable[[Target], Replica | None]
"""The replica that is dialled for a target; None where it is routed to no more."""


class CannotStart(Exception):
    """The replica that was to answer did not come up."""

    status = 0
    """Nobody has answered with one."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


@dataclass
class Turn:
    """What became of one request."""

    concurrency: int = 0
    """Requests that were under way with it."""
    on_demand: OnDemand | None = None
    """What there may be of them."""
    waited: float = 0.0
    """Seconds until it had a replica; 0 where one was free."""

    def metrics(self) -> Iterator[tuple[str, float]]:
        """What CloudWatch is told of it, but for times
        (https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-monitoring.html)."""
        if self.on_demand is None:
            return
        yield "ServerlessConcurrentExecutionsUtilization", round(self.concurrency / self.on_demand.most, 3)
        provisioned = self.on_demand.provisioned
        if provisioned:
            held = min(self.concurrency, provisioned)
            yield "ServerlessProvisionedConcurrencyExecutions", float(held)
            yield "ServerlessProvisionedConcurrencyUtilization", round(held / provisioned, 3)
            within = self.concurrency <= provisioned
            yield "ServerlessProvisionedConcurrencyInvocations", float(within)
            yield "ServerlessProvisionedConcurrencySpilloverInvocations", float(not within)


class Fleet:
    """One variant's. Belongs to one event loop."""

    def __init__(self, endpoint: str, variant: VariantRoute, on_demand: OnDemand) -> None:
        self.endpoint = endpoint
        """As its route is published."""
        self.variant = variant
        self.on_demand = on_demand
        self.busy = 0
        """Requests under way, with those that wait."""
        self.leaving: set[Target] = set()
        """Asked no more: control is to let them go."""
        self.told: set[Target] = set()
        """Of these those that control knows of."""
        self._wanted = on_demand.wanted
        self._waiting: deque[asyncio.Future[Replica]] = deque()
        self._taken: set[Target] = set()
        self._rested: dict[Target, float] = {}

    @property
    def waits(self) -> bool:
        """Whether somebody waits for a replica."""
        return any(not waiting.done() for waiting in self._waiting)

    @property
    def needed(self) -> int:
        """Replicas for all requests under way."""
        return min(self.busy, self.on_demand.most)

    @property
    def lacks(self) -> bool:
        """Whether they are more than there are, or are being started."""
        return self.waits and self.needed > self._wanted - len(self.leaving)

    def take(self, find: Find) -> Replica | None:
        """One that is free, the one used last first; None where there is none, or others wait for it."""
        if self.waits:
            return None
        for target in self._free():
            replica = find(target)
            if replica is not None:
                self._taken.add(target)
                return replica
        return None

    def wait(self) -> asyncio.Future[Replica]:
        """For the next one that is free, after all others."""
        waiting: asyncio.Future[Replica] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        return waiting

    def hand_out(self, find: Find) -> None:
        """To those who wait, in their order."""
        for target in self._free() if self.waits else ():
            replica, waiting = find(target), self._next()
            if replica is not None and waiting is not None:
                self._taken.add(target)
                waiting.set_result(replica)
                self._waiting.popleft()

    def give(self, target: Target, now: float) -> None:
        """It has answered, or nobody waits for it any more."""
        self._taken.discard(target)
        self._rested[target] = now

    def follow(self, variant: VariantRoute, on_demand: OnDemand, now: float) -> None:
        """What the routes say. Where replicas have not come up, as many of those who have waited longest are told."""
        failed = on_demand.failures - self.on_demand.failures
        targets = set(variant.targets)
        if variant != self.variant:
            self._wanted = on_demand.wanted
        self.variant, self.on_demand = variant, on_demand
        self.leaving &= targets
        self.told &= targets
        self._rested = {target: self._rested.get(target, now) for target in targets}
        for _ in range(failed):
            self._refuse_next(CannotStart(on_demand.said))

    def let_go(self, since: float) -> None:
        """Those that have had nothing to do `since` then, the longest first, but for as many as are provisioned."""
        spare = len(self.variant.targets) - len(self.leaving) - max(self.on_demand.provisioned, self.busy)
        idle = [target for target in self._free() if self._rested[target] <= since]
        for target in list(reversed(idle))[: max(0, spare)]:
            self.leaving.add(target)

    def asks(self) -> tuple[int, frozenset[Target]]:
        """As many replicas as control is to be asked for, and those it is to let go.

        It counts as done from here, not from control's answer: control may have started one, seen it fail and said so
        by the routes before its answer is here, and what the routes say last is what holds.
        """
        self._wanted = max(self._wanted, self.needed + len(self.leaving))
        self.told = set(self.leaving)
        return self.needed, frozenset(self.leaving)

    def unheard(self, told: Collection[Target], error: Exception) -> None:
        """Control was not there to hear it: nobody waits for it, and what was to be let go stays."""
        self._wanted = self.on_demand.wanted
        self.leaving -= set(told)
        self.told -= set(told)
        self.fail(error)

    def fail(self, error: Exception) -> None:
        """Nobody is to wait any more."""
        while self._waiting:
            self._refuse_next(error)

    def too_late(self, seconds: float) -> CannotStart:
        """What is said to who has waited so long: AWS's words for a model that does not come up."""
        return CannotStart(
            f"Unable to successfully stand up your model within the allotted {seconds:.0f} second timeout. Please "
            "ensure that downloading your model artifacts, starting your model container and passing the ping health "
            "checks can be completed within that time."
        )

    def _free(self) -> list[Target]:
        free = [target for target in self.variant.targets if target not in self._taken and target not in self.leaving]
        return sorted(free, key=lambda target: self._rested.get(target, 0.0), reverse=True)

    def _next(self) -> asyncio.Future[Replica] | None:
        while self._waiting:
            if not self._waiting[0].done():
                return self._waiting[0]
            self._waiting.popleft()
        return None

    def _refuse_next(self, error: Exception) -> None:
        waiting = self._next()
        if waiting is not None:
            self._waiting.popleft()
            waiting.set_exception(error)
