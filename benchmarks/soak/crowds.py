"""Crowds: clients that ask ten times as much as a model can answer, and clients that never finish their request."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field

from benchmarks.soak.connection import Broken, Connection, Signer
from benchmarks.soak.series import quantile
from benchmarks.soak.stage import SLOW, SLOW_SECONDS

CROWD = 200
TIMES = 10
"""What they ask for, over what can be answered."""
CROWD_SECONDS = 8.0
BACK_SECONDS = 30.0
AGAIN_SECONDS = 0.05

SLOW_CLIENTS = 100
CUT_SECONDS = 40.0
"""A head has 20 seconds."""


@dataclass
class Overload:
    """One burst."""

    answered: list[float] = field(default_factory=list)
    """Seconds that each took, in order once it is over."""
    refused: list[float] = field(default_factory=list)
    """The same of those that were told to come again."""
    others: dict[str, int] = field(default_factory=dict)
    """What else they were told."""
    recovered: float = 0.0
    """Seconds from its end until a request is answered that is sent then."""

    @property
    def times(self) -> float:
        """What was asked for, over what can be answered."""
        return (len(self.answered) + len(self.refused)) * SLOW_SECONDS / CROWD_SECONDS

    def __str__(self) -> str:
        return (
            f"{self.times:.0f} ×: {len(self.answered)} answered, the slowest in {max(self.answered, default=0):.1f} s; "
            f"{len(self.refused)} refused, p99 {quantile(self.refused, 0.99) * 1000:.0f} ms; "
            f"recovered in {self.recovered:.1f} s"
        )


async def overload(signer: Signer) -> Overload:
    """A crowd that tries again as SDKs do: after any time up to a second."""
    found = Overload()
    crowd = [asyncio.ensure_future(_insisting(signer, found)) for _ in range(CROWD)]
    await asyncio.sleep(CROWD_SECONDS)
    for each in crowd:
        each.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)
    found.recovered = await _back(signer)
    found.answered.sort()
    found.refused.sort()
    return found


async def _insisting(signer: Signer, found: Overload) -> None:
    connection, request = Connection(signer.port), signer.request(SLOW, {})
    try:
        while True:
            began = time.monotonic()
            status = await _status(connection, request)
            took = time.monotonic() - began
            if status == "200":
                found.answered.append(took)
                continue
            if status == "429":
                found.refused.append(took)
            else:
                found.others[status] = found.others.get(status, 0) + 1
            await asyncio.sleep(random.random())
    finally:
        connection.close()


async def _status(connection: Connection, request: bytes) -> str:
    try:
        answer = await connection.ask(request)
    except Broken as failure:
        return str(failure)
    return str(answer.status)


async def _back(signer: Signer) -> float:
    """Raises TimeoutError."""
    began, connection, request = time.monotonic(), Connection(signer.port), signer.request(SLOW, {})
    try:
        async with asyncio.timeout(BACK_SECONDS):
            while await _status(connection, request) != "200":  # noqa: ASYNC110 — a client knows no event to wait for
                await asyncio.sleep(AGAIN_SECONDS)
    finally:
        connection.close()
    return time.monotonic() - began


async def slow_clients(port: int) -> float:
    """Half of them say nothing at all, half of them begin a head; seconds until the last is cut off. Raises
    TimeoutError."""
    began = time.monotonic()
    async with asyncio.timeout(CUT_SECONDS):
        await asyncio.gather(*(_unfinished(port, number % 2 == 0) for number in range(SLOW_CLIENTS)))
    return time.monotonic() - began


async def _unfinished(port: int, begins: bool) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        if begins:
            writer.write(b"POST /endpoints/")
        while await reader.read(1024):
            pass
    except OSError:
        pass
    finally:
        writer.close()
