"""A request's way through the containers of one replica
(https://docs.aws.amazon.com/sagemaker/latest/dg/inference-pipeline-real-time.html).

The first container is told the client's Content-Type, each further one that of the answer before it. Only the last is
told the client's Accept: those before it answer as they do by themselves, which SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT
in their environment says (docs/decisions/0030). What is no success goes back at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from socket import socket
from typing import NamedTuple

from clary.serving.client import Pool, Request, Response, Room

DEFAULT_TYPE = "application/octet-stream"
"""Where nobody says what a body is."""


class Passed(NamedTuple):
    """A container that has answered."""

    position: int
    seconds: float


@dataclass
class Walk:
    """Where one request is."""

    positions: tuple[int, ...]
    """The containers that it is to pass."""
    at: int = 0
    """The one that was asked last."""
    passed: list[Passed] = field(default_factory=list)


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

    async def ask(self, request: Request, walk: Walk) -> Response:
        """The last container's answer, or the first that is no success; `walk.at` is whose. Raises as `Pool.ask`."""
        walk.passed.clear()
        *before, last = walk.positions
        headers, body = request.headers, request.body
        for position in before:
            passing = {name: value for name, value in headers.items() if name != "Accept"}
            answer = await self._ask(position, Request(request.method, request.path, passing, body), walk)
            if not 200 <= answer.status < 300:
                return answer
            headers = {**headers, "Content-Type": answer.headers.get("content-type", DEFAULT_TYPE)}
            body = answer.body
        return await self._ask(last, Request(request.method, request.path, headers, body), walk)

    async def first(self, request: Request) -> Response:
        """The first container's answer. Raises as `Pool.ask`."""
        return await self._pools[0].ask(request)

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
        answer = await self._pools[position].ask(request)
        walk.passed.append(Passed(position, time.perf_counter() - began))
        return answer
