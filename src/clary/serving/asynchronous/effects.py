"""What asynchronous inference has done elsewhere: by operations, in the name of the model's role."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from clary.errors import AWSError
from clary.serving.asynchronous.config import Asynchronous
from clary.serving.asynchronous.requests import Letter, Owner
from clary.serving.client import Body

T = TypeVar("T")

INPUT_BYTES = 2**30
"""Of an input, as on AWS."""

_PAUSES = (0.5, 30.0)
"""The first and the longest, where Clary itself could not: control is away, the disk is full."""

_PASSING = frozenset({500, 503})


@dataclass(frozen=True)
class Input:
    """What a request is about, with the type that its object has; empty where it has none."""

    content: Body
    kind: str = ""


class Effects(Protocol):
    """All but `log` raise AWSError and OSError."""

    async def fetch(self, owner: Owner, role: str, uri: str) -> Input:
        """An object, which may not be larger than INPUT_BYTES."""
        ...

    async def put(self, owner: Owner, config: Asynchronous, uri: str, content: bytes, content_type: str) -> None:
        """Bytes as an object; it is there when this returns."""
        ...

    async def publish(self, owner: Owner, letter: Letter) -> None:
        """A notification; whoever has subscribed has it when this returns."""
        ...

    async def log(self, owner: Owner, variant: str, line: str) -> None:
        """A line for the endpoint's data log; what cannot be written is lost."""
        ...


async def patiently(attempt: Callable[[], Awaitable[T]]) -> T:
    """Again, as long as what is in the way will pass. Raises AWSError: what AWS would refuse."""
    pause, longest = _PAUSES
    while True:
        try:
            return await attempt()
        except AWSError as error:
            if error.status not in _PASSING:
                raise
        except OSError:
            pass
        await asyncio.sleep(pause)
        pause = min(longest, pause * 2)
