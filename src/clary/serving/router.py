"""From an endpoint's name to an answer: a variant by weight or by name, a replica by least outstanding requests."""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar, overload

from clary.publish import Subscriber
from clary.serving.admission import FEW, FREE, Pace
from clary.serving.chain import DEATHS, Chain, Walk
from clary.serving.client import Broken, NotSent, Request, Response, Room
from clary.serving.routes import FILE, Route, Target, VariantRoute, component_id, endpoint_id
from clary.serving.slots import ANSWERS, Beside, EdgeSlot, cell_of

WATCH_SECONDS = 0.05
"""How soon an edge without requests acknowledges new routes; comparing costs 0.1 µs."""

_LOOK_SECONDS = 1.0
"""Between looks at which processes answer predictions."""

_DIALLERS = 8
SHADOW_ANSWER_BYTES = 64 * 2**20
"""Of all answers of shadows that are under way: whatever they send, it must not take the edge's memory."""
_SHADOW_DIALLERS = 2
"""Of their own: a shadow variant that accepts no connection must not keep a dialler from production."""

_log = logging.getLogger(__name__)

Containers = tuple[str, ...]
"""What one replica is known by: a target's, whose own hash would be computed in Python, several times a request."""

Answer = TypeVar("Answer")
Answer_co = TypeVar("Answer_co", covariant=True)


class Way(Protocol[Answer_co]):
    """How a request is answered by a variant's replicas."""

    def choose(self, replicas: Iterable[Replica]) -> Replica | None:
        """Whom to ask; None where there is nobody."""
        ...

    def ask(self, replica: Replica, request: Request, walk: Walk) -> Awaitable[Answer_co]:
        """One replica's answer. Raises NotSent, Broken."""
        ...


class UnknownEndpoint(Exception):
    """No route is published for the endpoint: it does not exist, or is not in service."""


class UnknownVariant(Exception):
    """The endpoint has no such variant."""


class NoReplica(Exception):
    """No replica of the variant can be reached at the moment."""


class ReplicaDied(Broken):
    """The replica has died with the request in its hands, and there is no other to ask at the moment."""


class Overloaded(NoReplica):
    """Every replica of the variant has as many requests as it can answer in time."""


@dataclass
class Replica:
    """One instance as this edge knows it."""

    target: Target
    chain: Chain
    outstanding: int = 0
    models: set[str] = field(default_factory=set)
    """Of many models those that it has, by the names that containers know, as far as this edge knows."""
    aside: int = 0
    """Of those outstanding these wait for no turn: streams that have begun, requests whose model is being loaded."""
    pace: Pace = field(default_factory=Pace)
    cell: int = 0
    """Where it is counted for other processes (`serving/slots.py`)."""
    shadow: bool = False
    """What is under way to shadows is bounded where it is mirrored (`serving/mirror.py`)."""


def choose_variant(variants: Sequence[VariantRoute], point: float) -> VariantRoute | None:
    """The variant at `point` (0 ≤ point < 1) of the sum of weights; None where nobody may be asked.

    A variant without a replica that answers takes no traffic: its share goes to the others. One that has its replicas
    on demand takes it.
    """
    if len(variants) == 1 and variants[0].targets and variants[0].weight > 0:
        return variants[0]
    open_ = [variant for variant in variants if (variant.targets or variant.on_demand) and variant.weight > 0]
    left = point * sum(variant.weight for variant in open_)
    for variant in open_:
        left -= variant.weight
        if left < 0:
            return variant
    return open_[-1] if open_ else None


def _waited_for(variants: Sequence[VariantRoute]) -> VariantRoute | None:
    """Of variants without replicas one that takes traffic as soon as it has some."""
    weights = [variant.weight for variant in variants]
    return random.choices(variants, weights)[0] if sum(weights) > 0 else None  # noqa: S311


def choose_share(entries: Sequence[VariantRoute], point: float) -> VariantRoute:
    """Of one variant's old and new replicas those at `point` (0 ≤ point < 1) of its traffic."""
    left = point * sum(entry.share for entry in entries)
    for entry in entries:
        left -= entry.share
        if left < 0:
            return entry
    return entries[-1]


def choose_replica(replicas: Iterable[Replica]) -> Replica | None:
    """The one with the fewest requests outstanding; among equals any."""
    candidates = list(replicas)
    if len(candidates) <= 1:
        return candidates[0] if candidates else None
    fewest = min(replica.outstanding for replica in candidates)
    return random.choice([replica for replica in candidates if replica.outstanding == fewest])  # noqa: S311


def full(replica: Replica, now: float, elsewhere: int = 0, answers: int = 0) -> bool:
    """Whether one more request would wait too long; `now` in the loop's seconds. Other processes have asked it
    `elsewhere` requests, and had so many `answers`."""
    return replica.pace.full(replica.outstanding - replica.aside, now, elsewhere, answers)


class Straight:
    """Any replica, whatever is asked."""

    def choose(self, replicas: Iterable[Replica]) -> Replica | None:
        """The least busy one."""
        return choose_replica(replicas)

    def ask(self, replica: Replica, request: Request, walk: Walk) -> Awaitable[Response]:
        """Its answer. Raises NotSent, Broken."""
        return replica.chain.ask(request, walk)


class AtRandom(Straight):
    """Any replica, whatever is asked, and whatever the others have to do."""

    def choose(self, replicas: Iterable[Replica]) -> Replica | None:
        """By chance."""
        candidates = list(replicas)
        return random.choice(candidates) if candidates else None  # noqa: S311


STRAIGHT = Straight()
AT_RANDOM = AtRandom()


class Router:
    """One edge's view of all endpoints. Belongs to one event loop."""

    def __init__(self, run_dir: Path, dial: Callable[[str], socket.socket]) -> None:
        self._published = Subscriber(run_dir / FILE)
        self._slot = EdgeSlot(run_dir)
        self._cells = self._slot.cells
        self._beside = Beside(self._slot)
        self._look_at = 0.0
        self._dial = dial
        self._threads = ThreadPoolExecutor(_DIALLERS, thread_name_prefix="dial")
        self._shadow_threads = ThreadPoolExecutor(_SHADOW_DIALLERS, thread_name_prefix="dial-shadow")
        self._shadow_room = Room(SHADOW_ANSWER_BYTES)
        self._routes: dict[str, Route] = {}
        self._replicas: dict[Containers, Replica] = {}
        self._leaving: list[Replica] = []
        self._late = False
        """Routes that are published could not be followed, or not be acknowledged."""
        self.held = 0
        """Requests that wait for a replica (`serving/replacing.py`)."""
        self._refresh()

    def route(self, account: str, region: str, name: str) -> Route:
        """Raises UnknownEndpoint."""
        return self._route(endpoint_id(account, region, name))

    def component(self, account: str, region: str, name: str, endpoint: str) -> Route:
        """The route of an inference component of this endpoint. Raises UnknownEndpoint."""
        route = self._route(component_id(account, region, name))
        if route.endpoint != endpoint:
            raise UnknownEndpoint(name)
        return route

    def _route(self, published: str) -> Route:
        if self._published.changed():
            self._follow()
        try:
            return self._routes[published]
        except KeyError:
            raise UnknownEndpoint(published) from None

    def routes(self) -> Mapping[str, Route]:
        """All of them, by `endpoint_id`."""
        if self._published.changed():
            self._follow()
        return self._routes

    @property
    def published(self) -> bool:
        """Whether control has ever said which endpoints there are."""
        return self._published.generation > 0

    def variant(self, route: Route, name: str | None) -> VariantRoute:
        """The variant named, else one by weight; where none has a replica one that is to have some. Raises
        UnknownVariant, NoReplica."""
        if name is None:
            chosen = choose_variant(route.variants, random.random()) or _waited_for(route.variants)  # noqa: S311
            if chosen is None:
                raise NoReplica
            return chosen
        named = [variant for variant in route.variants if variant.name == name]
        if not named:
            raise UnknownVariant(name)
        return named[0] if len(named) == 1 else choose_share(named, random.random())  # noqa: S311

    def again(self, published: str, variant: VariantRoute) -> VariantRoute | None:
        """What the routes say of a production variant now; None where it has gone. `published` as for `variants`."""
        with suppress(UnknownEndpoint, UnknownVariant):
            route = self._route(published)
            return self.variant(route, variant.name)
        return None

    @overload
    async def ask(self, variant: VariantRoute, request: Request, walk: Walk) -> Response: ...

    @overload
    async def ask(self, variant: VariantRoute, request: Request, walk: Walk, way: Way[Answer]) -> Answer: ...

    async def ask(self, variant: VariantRoute, request: Request, walk: Walk, way: Way[Any] = STRAIGHT) -> Any:
        """One replica's answer. Raises NoReplica, Overloaded, Broken, ReplicaDied, and ValueError for a header that
        cannot be sent.

        A replica that cannot be reached is passed over. One that has died with the request in its hands is replaced by
        another, twice at most, where its user allows it: its answer can never come. One that lives and broke the
        connection is not asked twice. With several containers the other replica is asked from the first of them on.
        """
        tried: set[Containers] = set()
        died: ReplicaDied | None = None
        while True:
            replica = self._next(variant, tried, way, died)
            tried.add(replica.target.containers)
            try:
                return await self.ask_one(replica, request, walk, way)
            except NotSent:
                continue
            except Broken as error:
                broken = error
            walk.deaths += 1
            if variant.once or walk.deaths >= DEATHS or await replica.chain.reachable(walk.at):
                raise broken
            died = ReplicaDied(str(broken))

    def refresh(self) -> int:
        """Take over what was published; the generation of the routes."""
        if self._published.changed():
            self._follow()
        return self._published.generation

    def variants(self) -> Iterator[tuple[str, VariantRoute]]:
        """All production variants, each with the name under which its endpoint's route is published."""
        for endpoint, route in self._routes.items():
            yield from ((endpoint, variant) for variant in route.variants)

    def replica(self, target: Target) -> Replica | None:
        """None where nobody is routed to it any more."""
        return self._replicas.get(target.containers)

    async def watch(self) -> None:
        """Acknowledges routes and drops idle connections while no request comes; runs as long as the edge."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if self._published.changed():
                self._follow()
            elif self._late:
                self._acknowledge()
            self._look(asyncio.get_running_loop().time())
            for replica in self._replicas.values():
                replica.chain.prune()

    def _look(self, now: float) -> None:
        """At who else asks these replicas."""
        if now >= self._look_at:
            self._look_at = now + _LOOK_SECONDS
            self._beside.look()

    def _elsewhere(self, replica: Replica) -> int:
        """How many requests other processes have with it."""
        return sum([cells[replica.cell] for cells in self._beside.cells])

    def _answers_elsewhere(self, replica: Replica) -> int:
        return sum([cells[ANSWERS + replica.cell] for cells in self._beside.cells])

    def loads(self, variant: VariantRoute) -> list[tuple[int, int]]:
        """Of each replica: how many requests it has, and how many it has answered so far, whoever has asked them."""
        return [
            (each.outstanding + self._elsewhere(each), each.pace.answered + self._answers_elsewhere(each))
            for each in self._known(variant.targets)
        ]

    def _full(self, replica: Replica, now: float) -> bool:
        return full(replica, now, self._elsewhere(replica), self._answers_elsewhere(replica))

    def close(self) -> None:
        """The edge ends."""
        for replica in [*self._replicas.values(), *self._leaving]:
            replica.chain.close()
        for threads in (self._threads, self._shadow_threads):
            threads.shutdown(wait=False, cancel_futures=True)
        self._slot.close()

    def hold(self, replica: Replica) -> Callable[[], None]:
        """Count a replica as answering until what this gives is called, once."""
        replica.outstanding += 1
        replica.aside += 1

        def release() -> None:
            replica.aside -= 1
            replica.outstanding -= 1
            if self._leaving:
                self._acknowledge()

        return release

    def _next(self, variant: VariantRoute, tried: set[Containers], way: Way[Any], died: ReplicaDied | None) -> Replica:
        targets = [each for each in variant.targets if each.containers not in tried] if tried else variant.targets
        chosen = way.choose(self._known(targets))
        if chosen is None:
            raise died or NoReplica(variant.name)
        if chosen.outstanding + self._elsewhere(chosen) < FREE or chosen.shadow:
            return chosen
        return self._admitted(variant, targets, way)

    def _admitted(self, variant: VariantRoute, targets: Sequence[Target], way: Way[Any]) -> Replica:
        """One of those that are not overloaded."""
        now = asyncio.get_running_loop().time()
        known = self._known(targets)
        chosen = way.choose([each for each in known if not self._full(each, now)])
        if chosen is None:
            raise Overloaded(variant.name)
        return chosen

    def _known(self, targets: Sequence[Target]) -> list[Replica]:
        found = [self._replicas.get(target.containers) for target in targets]
        return [replica for replica in found if replica is not None]

    @overload
    async def ask_one(self, replica: Replica, request: Request, walk: Walk) -> Response: ...

    @overload
    async def ask_one(self, replica: Replica, request: Request, walk: Walk, way: Way[Answer]) -> Answer: ...

    async def ask_one(self, replica: Replica, request: Request, walk: Walk, way: Way[Any] = STRAIGHT) -> Any:
        """This replica's answer. Raises NotSent, Broken, and ValueError for a header that cannot be sent."""
        pace, few = replica.pace, replica.outstanding < FEW and self._elsewhere(replica) < FEW
        replica.outstanding += 1
        self._cells[replica.cell] += 1
        try:
            answer = await way.ask(replica, request, walk)
            if few and walk.passed:
                pace.note(walk.passed)
            return answer
        finally:
            replica.outstanding -= 1
            self._cells[replica.cell] -= 1
            self._cells[ANSWERS + replica.cell] += 1
            pace.answered += 1
            if self._leaving:
                self._acknowledge()

    def _follow(self) -> None:
        """What is published now. Without a free descriptor the routes are those that are known."""
        try:
            self._refresh()
        except OSError as error:
            self._put_off(error)

    def _put_off(self, error: OSError) -> None:
        """Until `watch` tries it again; control lets no replica go meanwhile."""
        if not self._late:
            _log.warning("new routes are followed or acknowledged later: %s", error)
        self._late = True

    def _refresh(self) -> None:
        raw = self._published.current().get("endpoints", {})
        self._routes = {endpoint: Route.parse(route) for endpoint, route in raw.items()}
        named = {target: shadow for route in self._routes.values() for target, shadow in _targets(route)}
        old, new = dict(self._replicas), dict[Containers, Replica]()
        for target, shadow in named.items():
            known = old.pop(target.containers, None)
            new[target.containers] = known or self._replica(target, shadow=shadow)
        self._leaving += old.values()
        self._replicas = new
        self._acknowledge()

    def _replica(self, target: Target, *, shadow: bool) -> Replica:
        chain = self._chain(target, shadow=shadow)
        return Replica(target, chain, cell=cell_of(target.containers[0]), shadow=shadow)

    def _chain(self, target: Target, *, shadow: bool) -> Chain:
        if shadow:
            return Chain(target.containers, self._dial, self._shadow_threads, self._shadow_room)
        return Chain(target.containers, self._dial, self._threads)

    def _acknowledge(self) -> None:
        for replica in self._leaving:
            replica.chain.close()
        self._leaving = [replica for replica in self._leaving if replica.outstanding]
        busy = {container for replica in self._leaving for container in replica.target.containers}
        try:
            self._slot.write(self._published.generation, busy)
            self._late = False
        except OSError as error:  # the disk is full
            self._put_off(error)


def _targets(route: Route) -> Iterator[tuple[Target, bool]]:
    """All replicas of a route, and whether each is a shadow's."""
    for variant in route.variants:
        yield from ((target, False) for target in variant.targets)
        if variant.shadow:
            yield from ((target, True) for target in variant.shadow.targets)
