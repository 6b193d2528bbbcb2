"""A request's way through the containers of one replica
(https://docs.aws.amazon.com/sagemaker/latest/dg/inference-pipeline-real-time.html).

The first container is told the client's Content-Type, each further one that of the answer before it. Only the last is
told the client's Accept: those before it answer as they do by themselves, which SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT
in their environment says (docs/decisions/0030). What is no success goes back at once.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from socket import socket
from typing import Final

from clary.serving.client import Pool, Request, Response, Room
from clary.serving.streaming import Stream, begin

DEFAULT_TYPE: Final = "application/octet-stream"
"""Where nobody says what a body is."""


class Passed:
    """A container that has answered."""

    __slots__ = ("position", "seconds")

    def __init__(self, position: int, seconds: float) -> None:
        self.position = position
        self.seconds = seconds


DEATHS: Final = 3
"""So many replicas may die with a request, as with one that waits in a queue; then it is taken for the reason."""


class Walk:
    """Where one request is."""

    def __init__(self, positions: tuple[int, ...], at: int = 0) -> None:
        self.positions = positions
        """The containers that it is to pass."""
        self.at = at
        """The one that was asked last."""
        self.passed: list[Passed] = []
        self.deaths = 0
        """Replicas that have died with it."""
        self.model: tuple[int, str] | None = None
        """Of a request to one of many models: which container has them, and its path there."""


class Chain:
    """The containers of one replica, and the connections to them."""

    def __init__(
        self,
        containers: Sequence[str],
        dial: Callable[[str], socket],
        threads: ThreadPoolExecutor,
        room: Room | None = None,
    ) -> None:
        self._pools = tuple(Pool(container, dial, threads, room) for container in containers)

    def ask(self, request: Request, walk: Walk) -> Awaitable[Response]:
        """The last container's answer, or the first that is no success; `walk.at` is whose. Raises as `Pool.ask`."""
        walk.passed.clear()
        if len(walk.positions) > 1:
            return self._through(request, walk)
        return self._ask(walk.positions[0], request, walk)

    async def _through(self, request: Request, walk: Walk) -> Response:
        request, refused = await self._up_to_last(request, walk)
        return refused if refused is not None else await self._ask(walk.positions[-1], request, walk)

    async def stream(self, request: Request, walk: Walk) -> Stream | Response:
        """As `ask`, but the last container's answer as it comes. Raises as `Pool.ask`."""
        walk.passed.clear()
        request, refused = await self._up_to_last(request, walk)
        if refused is not None:
            return refused
        walk.at, began = walk.positions[-1], time.perf_counter()
        stream = await begin(self._pools[walk.at], _there(request, walk))
        walk.passed.append(Passed(walk.at, time.perf_counter() - began))
        return stream

    async def _up_to_last(self, request: Request, walk: Walk) -> tuple[Request, Response | None]:
        """What the last container is to be asked; and an answer where one before it refused."""
        headers, body = request.headers, request.body
        for position in walk.positions[:-1]:
            passing = {name: value for name, value in headers.items() if name != "Accept"}
            answer = await self._ask(position, Request(request.method, request.path, passing, body), walk)
            if not 200 <= answer.status < 300:
                return request, answer
            headers = {**headers, "Content-Type": answer.headers.get("content-type", DEFAULT_TYPE)}
            body = answer.body
        return Request(request.method, request.path, headers, body), None

    async def of(self, position: int, request: Request) -> Response:
        """One container's answer. Raises as `Pool.ask`."""
        return await self._pools[position].ask(request)

    async def reachable(self, position: int) -> bool:
        """Whether something listens in this container."""
        return await self._pools[position].reachable()

    def prune(self) -> None:
        """Close what has been idle for long."""
        for pool in self._pools:
            pool.prune()

    def close(self) -> None:
        """Close every idle connection."""
        for pool in self._pools:
            pool.close()

    async def _ask(self, position: int, request: Request, walk: Walk) -> Response:
        walk.at, began = position, time.perf_counter()
        answer = await self._pools[position].ask(_there(request, walk) if walk.model else request)
        walk.passed.append(Passed(position, time.perf_counter() - began))
        return answer


def _there(request: Request, walk: Walk) -> Request:
    """The request as the container gets it where it is now."""
    if walk.model is None or walk.model[0] != walk.at:
        return request
    return Request(request.method, walk.model[1], request.headers, request.body)
