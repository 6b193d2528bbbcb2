"""Asking replicas: every file's batches in flight at once up to a limit, every file's answers in order."""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from clary.compute.base import Dial
from clary.serving.chain import Chain, Walk
from clary.serving.client import Broken, NotSent, Request, Response
from clary.workload.transform.processing import Mismatched, Processing
from clary.workload.transform.sources import Malformed, TooLarge, batches, opened

DEFAULT_CONCURRENCY = 1
DEFAULT_PAYLOAD_MB = 6
DEFAULT_STRATEGY = "MULTI_RECORD"
"""Where neither the job nor GET /execution-parameters says it
(https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html)."""

ALGORITHM = "algorithm"
"""What AWS calls the container of a job that has no other."""

LARGEST_PAYLOAD_MB = 100
MOST_CONCURRENT = 100
"""What containers say is not believed beyond it."""

_STRATEGIES = {"MultiRecord": "MULTI_RECORD", "SingleRecord": "SINGLE_RECORD"}
_PARAMETERS_SECONDS = 10.0  # of a busy machine the container may have no processor for some of them
_RETRY_PAUSE = 0.2
_SAID_BYTES = 4096
_LONGEST_LINE = 1024

Tell = Callable[[dict[str, Any]], None]
"""Tells control."""


class Lost(Exception):
    """A replica is gone."""


@dataclass(frozen=True)
class Failure(Exception):
    """A file cannot be transformed: whose fault it is, and what the data log says of it."""

    kind: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Parameters:
    """How replicas are asked: as the job says, else as the container says, else as AWS does."""

    concurrency: int
    payload_bytes: int | None
    """None: any length (MaxPayloadInMB 0)."""
    strategy: str

    @classmethod
    def of(cls, plan: dict[str, Any], said: dict[str, Any]) -> Parameters:
        """`said` is the container's answer to GET /execution-parameters."""
        payload = plan["max_payload_bytes"]
        if payload is None:
            payload = _number(said.get("MaxPayloadInMB"), DEFAULT_PAYLOAD_MB, LARGEST_PAYLOAD_MB) * 2**20
        asked = _number(said.get("MaxConcurrentTransforms"), 0, MOST_CONCURRENT)
        return cls(
            int(plan["concurrency"] or asked or DEFAULT_CONCURRENCY),
            payload or None,
            _STRATEGIES.get(plan["strategy"] or "") or _strategy(said.get("BatchStrategy")),
        )

    def told(self) -> dict[str, Any]:
        """For the data log."""
        return {
            "MaxConcurrentTransforms": self.concurrency,
            "MaxPayloadInMB": (self.payload_bytes or 0) // 2**20,
            "BatchStrategy": self.strategy,
        }


def _number(said: object, otherwise: int, most: int) -> int:
    """A container's word for a number, in its own notation."""
    try:
        number = int(said) if isinstance(said, int | float | str) else otherwise
    except (ValueError, OverflowError):
        return otherwise
    return number if 0 <= number <= most else otherwise


def _strategy(said: object) -> str:
    return next((known for known in _STRATEGIES.values() if known == said), DEFAULT_STRATEGY)


class Replicas:
    """All of a job's, each asked by so many at once; each of one container, or of several one after the other."""

    def __init__(self, plan: dict[str, Any], dial: Dial, threads: ThreadPoolExecutor) -> None:
        self._chains = [Chain(containers, dial, threads) for containers in plan["replicas"]]
        self._names: list[str] = plan["names"]
        self._busy = [0] * len(self._chains)
        self._timeout = float(plan["timeout_s"])
        self._retries = int(plan["retries"])
        self._places: asyncio.Semaphore | None = None

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._chains)

    async def parameters(self) -> dict[str, Any]:
        """What the first says to GET /execution-parameters; nothing where it says nothing."""
        try:
            async with asyncio.timeout(_PARAMETERS_SECONDS):
                answer = await self._chains[0].of(0, Request("GET", "/execution-parameters"))
            said = json.loads(answer.body) if answer.status == 200 else {}
        except (NotSent, Broken, TimeoutError, ValueError, RecursionError):
            return {}
        return said if isinstance(said, dict) else {}

    def allow(self, concurrency: int) -> None:
        """So many requests at once to each."""
        self._places = asyncio.Semaphore(concurrency * self.count)

    async def ask(self, request: Request) -> Response:
        """The answer of the last container. Server errors and silence are tried again, from the first container on.
        Raises Failure, Lost."""
        assert self._places is not None  # noqa: S101 — for the type
        async with self._places:
            answer, position = await self._tried(request)
        name = ALGORITHM if len(self._names) == 1 else self._names[position]
        if isinstance(answer, str):
            raise Failure("AlgorithmError", (answer if name == ALGORITHM else f"{name}: {answer}",))
        if not 200 <= answer.status < 300:
            raise _refused(answer, name)
        return answer

    async def _tried(self, request: Request) -> tuple[Response | str, int]:
        """The last try's answer, or why there was none, and which container is to thank for it. Raises Lost."""
        for number in range(self._retries + 1):
            walk = Walk(tuple(range(len(self._names))))
            answer = await self._once(request, walk)
            if isinstance(answer, Response) and answer.status < 500:
                break
            if number < self._retries:
                await asyncio.sleep(_RETRY_PAUSE * 2**number)
        return answer, walk.at

    async def _once(self, request: Request, walk: Walk) -> Response | str:
        """The answer, or why there was none. Raises Lost where the replica cannot be reached any more."""
        place = min(range(self.count), key=self._busy.__getitem__)
        self._busy[place] += 1
        try:
            async with asyncio.timeout(self._timeout):
                return await self._chains[place].ask(request, walk)
        except TimeoutError:
            return f"Model server did not respond to /invocations request within {self._timeout:g} seconds"
        except Broken as error:  # a worker may have died of this very request, and its server lives
            if not await self._chains[place].reachable(walk.at):
                raise Lost(str(error)) from None
            return f"Model server hung up: {error}"
        except NotSent as error:
            raise Lost(str(error)) from None
        finally:
            self._busy[place] -= 1

    def close(self) -> None:
        """Hang up."""
        for chain in self._chains:
            chain.close()


class Engine:
    """One round over the files of a plan."""

    def __init__(self, plan: dict[str, Any], dial: Dial, tell: Tell) -> None:
        self._plan = plan
        self._tell = tell
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="dial")
        self._replicas = Replicas(plan, dial, self._threads)
        self._processing = Processing.of(plan)
        self._room = asyncio.Semaphore()
        """For each batch in memory, over all files: from its reading until its answer is written."""
        self._headers = {
            name: value for name, value in (("Content-Type", plan["content_type"]), ("Accept", plan["accept"])) if value
        }

    async def run(self) -> None:
        """Transform every file; a file that fails is told, and the others go on. Raises Lost, OSError."""
        parameters = Parameters.of(self._plan, await self._replicas.parameters())
        self._tell({"parameters": parameters.told()})
        self._replicas.allow(parameters.concurrency)
        self._room = asyncio.Semaphore(2 * parameters.concurrency * self._replicas.count)
        todo = deque(self._plan["files"])
        width = min(len(todo), parameters.concurrency * self._replicas.count)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(width):
                    group.create_task(self._work(todo, parameters))
        except* Lost as lost:
            raise lost.exceptions[0] from None
        finally:
            self._replicas.close()

    async def _work(self, todo: deque[dict[str, Any]], parameters: Parameters) -> None:
        while todo:
            file = todo.popleft()
            try:
                await self._file(file, parameters)
            except Failure as failure:
                self._tell({"failed": file["number"], "kind": failure.kind, "lines": list(failure.lines)})
            else:
                self._tell({"done": file["number"]})

    async def _file(self, file: dict[str, Any], parameters: Parameters) -> None:
        target = Path(self._plan["folder"]) / "out" / str(file["number"])
        part = target.with_suffix(".part")
        try:
            with opened(file["segments"], gzipped=file["gzip"]) as source, part.open("wb") as sink:
                await self._stream(source, sink, parameters)
                sink.flush()
                os.fsync(sink.fileno())  # who finds it under its name after a crash believes that it is whole
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    async def _stream(self, source: BinaryIO, sink: BinaryIO, parameters: Parameters) -> None:
        """Requests in flight; the oldest one's answer is written when it is there, the next batch read meanwhile.

        Who finds no room writes what it holds first, and waits holding nothing: files never wait for one another.
        """
        flying: deque[asyncio.Task[bytes]] = deque()
        width = parameters.concurrency * self._replicas.count + 1
        found = self._batches(source, parameters)
        try:
            while True:
                while flying and (self._room.locked() or len(flying) >= width):
                    await self._settle(sink, flying)
                task = await self._sent(found)
                if task is None:
                    break
                flying.append(task)
            while flying:
                await self._settle(sink, flying)
        finally:
            for task in flying:
                task.cancel()
                self._room.release()
            await asyncio.gather(*flying, return_exceptions=True)

    async def _sent(self, found: Iterator[bytes]) -> asyncio.Task[bytes] | None:
        """The next batch on its way, as soon as there is room for it; None where there is no more. Raises Failure."""
        await self._room.acquire()
        batch = None
        try:
            batch = next(found, None)
        finally:
            if batch is None:
                self._room.release()
        if batch is None:
            return None
        task = asyncio.create_task(self._answer(batch))
        await asyncio.sleep(0)  # let it leave before the next is read
        return task

    async def _settle(self, sink: BinaryIO, flying: deque[asyncio.Task[bytes]]) -> None:
        """Write the oldest answer, once it is there. Raises Failure, Lost, OSError."""
        try:
            self._write(sink, await flying.popleft())
        finally:
            self._room.release()

    def _batches(self, source: BinaryIO, parameters: Parameters) -> Iterator[bytes]:
        single = parameters.strategy == "SINGLE_RECORD"
        try:
            yield from batches(source, self._plan["split"], single=single, limit=parameters.payload_bytes)
        except TooLarge:
            raise Failure("ClientError", ("ClientError: Too much data for max payload size",)) from None
        except FileNotFoundError:
            raise Failure("ClientError", ("ClientError: The object was deleted before it was read",)) from None
        except Malformed as error:
            raise Failure("ClientError", (f"ClientError: The input cannot be read: {error}",)) from None

    async def _answer(self, batch: bytes) -> bytes:
        try:
            body = self._processing.request(batch)
            answer = await self._replicas.ask(Request("POST", "/invocations", self._headers, body))
            return self._processing.answer(batch, answer.body)
        except Mismatched as error:
            raise Failure("ClientError", (f"ClientError: {error}",)) from None

    def _write(self, sink: BinaryIO, answer: bytes) -> None:
        sink.write(answer)
        if self._plan["assemble"] == "Line" and not answer.endswith(b"\n"):
            sink.write(b"\n")


def _refused(answer: Response, name: str) -> Failure:
    """The container's own words, a line each, as the data log shows them."""
    text = answer.body[:_SAID_BYTES].decode("utf-8", "replace").strip()
    said = [line[:_LONGEST_LINE] for line in text.splitlines()]
    if answer.status >= 500:
        return Failure("AlgorithmError", (f"Bad HTTP status received from {name}: {answer.status}", *said))
    whose = "" if name == ALGORITHM else f" from {name}"
    return Failure("ClientError", (f"ClientError: {answer.status}{whose}", "", "Message:", *said))
