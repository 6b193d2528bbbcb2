"""From a function's name to its answer: a version by qualifier or weight, an environment, its time and its end."""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from clary.errors import AWSError
from clary.functions import tail
from clary.functions.environment import Answer, Ending, Environment, Gone, Sandboxes
from clary.functions.errors import failed, not_found, not_ready
from clary.functions.known import KnownFunctions
from clary.functions.metering import FunctionMeter, Place
from clary.functions.pool import NeverReady, Pool, Start
from clary.functions.table import ACTIVE, PENDING, Function, Version, chosen

PATIENCE = 60.0
"""Seconds that an invocation waits for a function whose code is still being prepared: AWS answers at once that it
cannot be invoked yet, and every tutorial that creates and invokes then fails once in a while."""

ANSWER_BYTES = 6_291_556
"""Of an answer: six megabytes and what AWS adds to them."""

_LOOK = 0.02

_THROTTLED = 429

WATCH_SECONDS = 0.5
"""How soon environments of a version that was changed are let go where nobody asks."""


@dataclass(frozen=True)
class Invocation:
    """What is to be answered."""

    function: Function
    qualifier: str
    event: bytes
    request: str
    client_context: str = ""
    trace: str = ""
    wants_log: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of it. `error` is empty, `Handled` or `Unhandled`."""

    payload: bytes
    version: str
    error: str = ""
    log: bytes = b""


@dataclass(frozen=True)
class _Spent:
    """What an invocation took that ended with its environment."""

    seconds: float
    used: int = 0
    """MB, when the runtime spoke last."""


class Functions:
    """One edge's view of all functions. Belongs to one event loop."""

    def __init__(self, run_dir: Path, start: Start, sandboxes: Sandboxes, most: int) -> None:
        self._known = KnownFunctions(run_dir)
        self._sandboxes = sandboxes
        self.pool = Pool(start, sandboxes, most)
        self.meter = FunctionMeter()

    def find(self, account: str, region: str, name: str, qualifier: str = "") -> Function:
        """Raises ResourceNotFoundException's error for a function or a qualifier that is not there."""
        self._follow()
        return self._known.find(account, region, name, qualifier)

    def by_url(self, url_id: str) -> tuple[Function, str] | None:
        """The function, and the qualifier, of a function URL."""
        self._follow()
        return self._known.by_url(url_id)

    async def invoke(self, invocation: Invocation) -> Outcome:
        """The answer, whatever the function makes of it. Raises AWSError where it could not be asked."""
        function, version = await self._ready(invocation)
        place = Place(function.account, function.region, function.name)
        began = time.perf_counter()
        try:
            async with self.pool.turn(function) as concurrency:
                outcome = await self._carry_out(invocation, function, version)
        except AWSError as error:
            if error.status == _THROTTLED:
                self.meter.throttled(place)
            raise
        self.meter.count(place, concurrency, bool(outcome.error), time.perf_counter() - began)
        return outcome

    async def watch(self) -> None:
        """Lets environments go that nobody needs; runs as long as the edge."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            self._known.refresh()
            self._prune()

    def close(self) -> None:
        """The edge ends."""
        self.pool.close()

    async def _ready(self, invocation: Invocation) -> tuple[Function, Version]:
        """The function as it is when its code is there. Raises AWSError."""
        known, end = invocation.function, asyncio.get_running_loop().time() + PATIENCE
        while True:
            function = self.find(known.account, known.region, known.name, invocation.qualifier)
            version = chosen(function, invocation.qualifier, random.random())  # noqa: S311
            if version is None:
                raise not_found(f"{function.arn}:{invocation.qualifier}")
            if version.state == ACTIVE:
                return function, version
            if version.state != PENDING or asyncio.get_running_loop().time() > end:
                raise not_ready(version.state)
            await asyncio.sleep(_LOOK)

    async def _carry_out(self, invocation: Invocation, function: Function, version: Version) -> Outcome:
        began = time.perf_counter()
        try:
            environment = await self.pool.take(function, version)
        except NeverReady as error:
            return await self._never_ready(invocation, version, error, time.perf_counter() - began)
        start = await self._position(environment) if invocation.wants_log else 0
        began = time.perf_counter()
        try:
            async with asyncio.timeout(version.timeout):
                answer = await environment.connection.ask(_head(invocation, version), invocation.event)
        except (TimeoutError, Gone) as error:
            late = isinstance(error, TimeoutError)
            await self.pool.end(environment, gone=not late)
            ended = await self._ended(environment, invocation, version, time.perf_counter() - began, late=late)
            return await self._with_log(ended, invocation, environment, start)
        except BaseException:  # cancelled: the edge ends, and the environment with it
            environment.close()
            raise
        outcome = await self._with_log(_outcome(answer, version), invocation, environment, start)
        self.pool.give(function, environment)
        return outcome

    async def _position(self, environment: Environment) -> int:
        place: int = await self.pool.in_thread(tail.position, environment.place.log)
        return place

    async def _with_log(
        self, outcome: Outcome, invocation: Invocation, environment: Environment, start: int
    ) -> Outcome:
        if not invocation.wants_log:
            return outcome
        log = await self.pool.in_thread(tail.tail, environment.place.log, start, invocation.request)
        return Outcome(outcome.payload, outcome.version, outcome.error, log)

    async def _ended(
        self, environment: Environment, invocation: Invocation, version: Version, seconds: float, *, late: bool
    ) -> Outcome:
        """The environment has ended under the invocation: by the time that it took, or by itself."""
        log, used = environment.place.log, environment.connection.memory
        if late:
            return await self._timed_out(log, invocation, version, used)
        ending = await self.pool.in_thread(self._sandboxes.ending, environment.place.container)
        return await self._exited(log, invocation, version, ending, _Spent(seconds, used))

    async def _timed_out(self, log: str, invocation: Invocation, version: Version, used: int = 0) -> Outcome:
        said = f"Task timed out after {version.timeout:.2f} seconds"
        moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = f"{moment} {invocation.request} {said}"
        spent = _Spent(version.timeout, used)
        await self._finish(log, invocation, version, spent, "timeout", line)
        message = f"RequestId: {invocation.request} Error: {said}"
        return _unhandled(version, "Sandbox.Timedout", message)

    async def _exited(
        self, log: str, invocation: Invocation, version: Version, ending: Ending | None, spent: _Spent
    ) -> Outcome:
        said = f"RequestId: {invocation.request} Error: {_why(ending)}"
        kind = "Runtime.ExitError"
        if ending is not None and ending.out_of_memory:
            kind, spent = "Runtime.OutOfMemory", _Spent(spent.seconds, version.memory)
        await self._finish(log, invocation, version, spent, "error", said, kind)
        return _unhandled(version, kind, said)

    async def _never_ready(
        self, invocation: Invocation, version: Version, error: NeverReady, seconds: float
    ) -> Outcome:
        if error.late:
            return await self._timed_out(error.place.log, invocation, version)
        ending = await self.pool.in_thread(self._sandboxes.ending, error.place.container)
        if ending is not None and ending.reason:
            raise failed(f"The execution environment could not be started: {ending.reason}")
        return await self._exited(error.place.log, invocation, version, ending, _Spent(seconds))

    async def _finish(
        self, log: str, invocation: Invocation, version: Version, spent: _Spent, status: str, *lines: str
    ) -> None:
        told = tail.Unfinished(invocation.request, spent.seconds, version.memory, lines, status, spent.used)
        await self.pool.in_thread(tail.finish, log, told)

    def _follow(self) -> None:
        """Environments of versions that were changed are not used any more."""
        if self._known.refresh():
            self._prune()

    def _prune(self) -> None:
        self.pool.prune(self._known.revisions())


def _head(invocation: Invocation, version: Version) -> dict[str, object]:
    function = invocation.function
    arn = f"{function.arn}:{invocation.qualifier}" if invocation.qualifier else function.arn
    return {
        "id": invocation.request,
        "arn": arn,
        "deadline": time.time() + version.timeout,
        "client_context": invocation.client_context,
        "trace": invocation.trace,
    }


def _outcome(answer: Answer, version: Version) -> Outcome:
    if len(answer.payload) > ANSWER_BYTES:
        message = f"Response payload size exceeded maximum allowed payload size ({ANSWER_BYTES} bytes)."
        return _unhandled(version, "Function.ResponseSizeTooLarge", message)
    return Outcome(answer.payload, version.number, "Unhandled" if answer.failed else "")


def _unhandled(version: Version, kind: str, message: str) -> Outcome:
    payload = json.dumps({"errorType": kind, "errorMessage": message}).encode()
    return Outcome(payload, version.number, "Unhandled")


def _why(ending: Ending | None) -> str:
    """As AWS's runtime supervisor words it."""
    if ending is None or ending.signal == 9:
        return "Runtime exited with error: signal: killed"
    if ending.signal is not None:
        return f"Runtime exited with error: signal: {_SIGNALS.get(ending.signal, ending.signal)}"
    if ending.code:
        return f"Runtime exited with error: exit status {ending.code}"
    return "Runtime exited without providing a reason"


_SIGNALS = {6: "aborted", 7: "bus error", 8: "floating point exception", 11: "segmentation fault", 15: "terminated"}
