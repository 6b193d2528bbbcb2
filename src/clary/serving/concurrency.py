"""How many requests each model has at once: looked at each second, and reported of every ten
(https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from clary.serving.metering import NAMESPACE, Place, add, in_calls, metric
from clary.serving.routes import Route, VariantRoute

LOOK_SECONDS = 1.0
PERIOD = 10
"""Seconds of one datapoint."""

REMEMBERED = 1800.0
"""Seconds for which a variant's zeros are reported after its last request, or its beginning: twice as long as scaling
in looks back. Of one that nobody asks nothing is written down for ever."""

_COMPONENT = "inference-component"


class Loads(Protocol):
    """Who knows (of `serving.router.Router`, this much is needed here)."""

    def routes(self) -> Mapping[str, Route]:
        """By the names under which they are published."""
        ...

    def loads(self, variant: VariantRoute) -> list[tuple[int, int]]:
        """Of each replica: how many requests it has, and how many it has answered so far."""
        ...


_Key = tuple[Place, str]
"""A variant, and the configuration of the replicas: an update has old and new ones at once."""

_Seen = tuple[int, float]
"""How many requests they have answered, and when that was another number, or they had some."""


class Concurrency:
    """One edge's meter, for all processes that answer predictions. Belongs to one event loop."""

    namespace = NAMESPACE

    def __init__(self, loads: Loads, clock: Callable[[], float] = time.time) -> None:
        self._loads = loads
        self._clock = clock
        self._seen: dict[_Key, _Seen] = {}
        self._sums: dict[tuple[Place, int], dict[int, int]] = {}

    async def watch(self) -> None:
        """Runs as long as the edge."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """What there is now to do for each replica."""
        now, before, self._seen = self._clock(), self._seen, {}
        for published, route in self._loads.routes().items():
            for variant in route.variants:
                if variant.on_demand is None:
                    key = _place(published, route, variant), variant.config
                    self._count(key, self._loads.loads(variant), now, before.get(key))

    def _count(self, key: _Key, loads: list[tuple[int, int]], now: float, before: _Seen | None) -> None:
        answered = sum(answers for _, answers in loads)
        then, at = before or (answered, now)
        if answered != then or any(waiting for waiting, _ in loads):
            at = now
        self._seen[key] = answered, at
        if now - at < REMEMBERED:
            counts = self._sums.setdefault((key[0], int(now) // PERIOD * PERIOD), {})
            for waiting, _ in loads:
                add(counts, waiting)

    def take(self) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
        """As `Meter.take`."""
        sums, self._sums = self._sums, {}
        owners: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for (place, at), counts in sums.items():
            name = "ConcurrentRequestsPerCopy" if place.component else "ConcurrentRequestsPerModel"
            data = ({**each, "StorageResolution": 1} for each in metric(place, at, name, "None", counts))
            owners.setdefault((place.account, place.region), []).extend(data)
        yield from in_calls(owners)


def _place(published: str, route: Route, variant: VariantRoute) -> Place:
    account, region, *name = published.split("/")
    if name[0] == _COMPONENT:
        return Place(account, region, route.endpoint, variant.name, component=name[1])
    return Place(account, region, name[0], variant.name)
