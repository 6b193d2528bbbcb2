"""Requests to one of many models (https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-endpoints.html): to a
replica that has it, and where none has, to one that loads it first.

Nothing is kept here that could be wrong for long: the container knows what it has loaded, and says 404 of what it has
not. Control loads and unloads (`controllers/model_loading.py`); an edge asks it, once for all who wait for a model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from clary.names import model_name
from clary.serving.chain import Walk
from clary.serving.client import NotSent, Request, Response
from clary.serving.metering import Loading
from clary.serving.router import Replica, choose_replica

TARGET_HEADER: Final = "X-Amzn-SageMaker-Target-Model"

_LOADS_AT_ONCE = 8
"""By one edge: control has other calls to answer as well."""

_TRIES = 3
"""A model may be unloaded for another between its loading and the request; hardly twice."""

Load = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""Has control load a model into a container. Raises AWSError."""

Note = Callable[[str, str], None]
"""Notes that a container's model is used."""


class CannotLoad(Exception):
    """The container does not load the model."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status
        self.said = said


@dataclass(frozen=True)
class Endpoint:
    """Whose models they are."""

    account: str
    region: str
    name: str


class Models:
    """One edge's requests to many models. Belongs to one event loop."""

    def __init__(self, load: Load, note: Note) -> None:
        self._load = load
        self._note = note
        self._places = asyncio.Semaphore(_LOADS_AT_ONCE)
        self._under_way: dict[tuple[str, str], asyncio.Task[Loading]] = {}

    def way(self, endpoint: Endpoint, target: str, at: int = 0) -> ToModel:
        """One request's; `at`: which of a replica's containers has the models."""
        return ToModel(self, endpoint, target, model_name(target), at)

    def used(self, replica: Replica, way: ToModel) -> None:
        """For who looks for the model that was not used for longest."""
        self._note(way.container(replica), way.name)

    def has(self, replica: Replica, way: ToModel) -> bool:
        """Whether the replica has the model, or is just loading it."""
        return way.name in replica.models or (way.container(replica), way.name) in self._under_way

    async def ensure(self, replica: Replica, way: ToModel) -> None:
        """The replica has the model when this returns. Raises CannotLoad, NotSent, AWSError.

        Whoever waits no longer leaves the loading to the others.
        """
        key = (way.container(replica), way.name)
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._loaded(replica, way))
            task.add_done_callback(lambda done: self._over(key, done))
            way.loading = task
        await asyncio.shield(task)

    def _over(self, key: tuple[str, str], done: asyncio.Task[Loading]) -> None:
        self._under_way.pop(key, None)
        if not done.cancelled():
            done.exception()  # who waited for it has been told

    async def _loaded(self, replica: Replica, way: ToModel) -> Loading:
        endpoint = way.endpoint
        async with self._places:
            said = await self._load(
                {
                    "account": endpoint.account,
                    "region": endpoint.region,
                    "endpoint": endpoint.name,
                    "container": way.container(replica),
                    "model": way.target,
                }
            )
        if said["outcome"] == "gone":
            raise NotSent(f"container {way.container(replica)} is gone")
        if said["outcome"] == "refused":
            raise CannotLoad(said["status"], said["said"])
        replica.models.add(way.name)
        return Loading(said["downloading"], said["loading"], tuple(said["unloading"]), said["loaded"])


@dataclass
class ToModel:
    """One request's way."""

    models: Models
    endpoint: Endpoint
    target: str
    name: str
    at: int = 0
    """Which of a replica's containers has the models."""
    waited: float = 0.0
    """Seconds that the request waited for its model to be loaded; 0 where it was there."""
    loading: asyncio.Task[Loading] | None = field(default=None, repr=False)
    """What this request was the first to ask for."""
    waiting: bool = False

    @property
    def path(self) -> str:
        """Where the container answers for the model."""
        return f"/models/{self.name}/invoke"

    def choose(self, replicas: Iterable[Replica]) -> Replica | None:
        """The least busy one of those that have the model; else the least busy of all, with the fewest models."""
        known = list(replicas)
        having = [replica for replica in known if self.models.has(replica, self)]
        if having or not known:
            return choose_replica(having)
        least = min((replica.outstanding, len(replica.models)) for replica in known)
        return choose_replica(each for each in known if (each.outstanding, len(each.models)) == least)

    async def ask(self, replica: Replica, request: Request, walk: Walk) -> Response:
        """Its answer, the model loaded before where it has to be. Raises NotSent, Broken, CannotLoad, AWSError."""
        for _ in range(_TRIES - 1):
            await self._ensure(replica)
            answer = await replica.chain.ask(request, walk)
            if answer.status != 404 or walk.at != self.at or await self._has_it(replica):
                self.models.used(replica, self)
                return answer
            replica.models.discard(self.name)
        await self._ensure(replica)
        return await replica.chain.ask(request, walk)

    async def _ensure(self, replica: Replica) -> None:
        if self.name in replica.models:
            return
        loop = asyncio.get_running_loop()
        began, self.waiting = loop.time(), True
        replica.aside += 1
        try:
            await self.models.ensure(replica, self)
        finally:
            replica.aside -= 1
            self.waited += loop.time() - began
        self.waiting = False

    async def _has_it(self, replica: Replica) -> bool:
        """Whether 404 is the model's own answer."""
        asked = Request("GET", f"/models/{self.name}", {TARGET_HEADER: self.target})
        return (await replica.chain.of(self.at, asked)).status == 200

    def container(self, replica: Replica) -> str:
        """Of this replica, the one that has the models."""
        return replica.target.containers[self.at]
