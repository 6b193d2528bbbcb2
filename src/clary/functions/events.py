"""Asynchronous invocations: each is a file until its function has answered it, or it is given up
(https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html).

A file is on the disk before the caller is answered; whoever starts after a crash takes up what lies there. An event may
therefore come twice, as on AWS.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from clary.errors import AWSError
from clary.functions.event_files import POSTED, Event, EventFiles
from clary.functions.invoking import Functions, Invocation, Outcome
from clary.functions.letters import FUNCTIONS, Ended, Letter, Post, answer, dead_letter, message, record, service_of
from clary.functions.table import LATEST, EventRules, Function, chosen
from clary.publish import Subscriber

RETRY_SECONDS = (60.0, 120.0)
"""Before the second and the third try of an event whose function failed."""

_THROTTLED_SECONDS = (1.0, 300.0)
"""The first and the longest pause where the function could not be asked, or a queue not be told."""

_LINKS = 16
"""Destinations after one another: functions that are one another's would go on for ever."""

_AT_ONCE = 64

_POSTED_SECONDS = 0.5
"""Between two looks at whether control has posted something."""

_LINK = "_"
_SUCCESS = "Success"
_OURS = 500
"""Errors from here on pass."""

_log = logging.getLogger(__name__)


class Events:
    """The events of one edge. Belongs to one event loop."""

    def __init__(self, folder: Path, functions: Functions, post: Post) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._files = EventFiles(folder)
        self._posted = Subscriber(folder / POSTED)
        self._functions = functions
        self._post = post
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="event")
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._active: set[str] = set()
        self._owed = False  # what was posted is still to be taken up
        self._over: set[str] | None = None  # those that come to their end while files are read

    async def accept(self, invocation: Invocation) -> None:
        """Keep it, durably, and carry it out beside."""
        event = Event.of(invocation)
        self._active.add(event.id)
        await self._keep(event)
        self._begin(event)

    async def watch(self) -> None:
        """Take up what an edge before this one has left, and what control posts; runs as long as the edge. May be begun
        again."""
        while True:
            if self._owed or self._posted.changed():
                self._owed = True
                self._posted.current()
                await self._take_up()
                self._owed = False
            await asyncio.sleep(_POSTED_SECONDS)

    async def _take_up(self) -> None:
        over = self._over = set()
        left = await asyncio.get_running_loop().run_in_executor(self._threads, self._files.left)
        self._over = None
        for event in left:
            if event.id not in self._active and event.id not in over:
                self._active.add(event.id)
                self._begin(event)

    def close(self) -> None:
        """The edge ends; what waits stays."""
        for task in self._tasks:
            task.cancel()
        self._threads.shutdown(wait=False)

    def _begin(self, event: Event) -> None:
        task = asyncio.get_running_loop().create_task(self._carry_out(event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, event: Event) -> None:
        """Until it is answered, or given up."""
        while True:
            await asyncio.sleep(max(0.0, event.due - time.time()))
            async with self._places:
                after = await self._try(event)
            if after is None:
                await self._drop(event)
                self._active.discard(event.id)
                if self._over is not None:
                    self._over.add(event.id)
                return
            event = after
            await self._keep(event)

    async def _try(self, event: Event) -> Event | None:
        """The event as it is to be tried again; None where it is over."""
        if event.letters:
            return await self._say(event)
        try:
            function = self._functions.find(event.account, event.region, event.name, event.qualifier)
        except AWSError as error:  # deleted meanwhile, and its events with it
            return replace(event, letters=(answer(event.tell, event.id, error.message),)) if event.tell else None
        rules = _rules(event, function)
        try:
            outcome = await self._functions.invoke(_invocation(event, function))
        except AWSError as error:
            return await self._refused(event, function, rules, error)
        except Exception:
            _log.exception("event %s of %s failed", event.id, event.name)
            return await self._refused(event, function, rules, AWSError("ServiceException", "", status=500))
        return await self._answered(event, function, rules, outcome)

    async def _answered(self, event: Event, function: Function, rules: EventRules, outcome: Outcome) -> Event | None:
        if not outcome.error:
            return await self._end(replace(event, tries=event.tries + 1), function, rules, "Success", outcome)
        tried = replace(event, tries=event.tries + 1)
        if tried.tries > rules.retries:
            return await self._end(tried, function, rules, "RetriesExhausted", outcome)
        pause = RETRY_SECONDS[min(tried.tries, len(RETRY_SECONDS)) - 1]
        return await self._later(tried, function, rules, pause, outcome)

    async def _refused(self, event: Event, function: Function, rules: EventRules, error: AWSError) -> Event | None:
        if function.reserved == 0:
            return await self._end(event, function, rules, "ZeroReservedConcurrency", None)
        _log.info("event %s of %s waits: %s", event.id, event.name, error)
        tried = replace(event, refusals=event.refusals + 1)
        return await self._later(tried, function, rules, _pause(event.refusals), None)

    async def _later(
        self, event: Event, function: Function, rules: EventRules, pause: float, outcome: Outcome | None
    ) -> Event | None:
        due = time.time() + pause
        if due - event.accepted > rules.age:
            return await self._end(event, function, rules, "EventAgeExceeded", outcome)
        return replace(event, due=due)

    async def _end(
        self, event: Event, function: Function, rules: EventRules, condition: str, outcome: Outcome | None
    ) -> Event | None:
        """The event with all that is to be said of it; None where nothing is."""
        ended = _ended(event, function, condition, outcome)
        destination = rules.on_success if condition == _SUCCESS else rules.on_failure
        if event.tell:
            said = message(ended) if condition != _SUCCESS else ""
            return replace(event, letters=(answer(event.tell, event.id, said),), due=0.0, refusals=0)
        if service_of(destination) == FUNCTIONS:
            await self._tell(destination, event, ended)
        letters = _letters(event, function, destination, ended)
        return replace(event, letters=letters, due=0.0, refusals=0) if letters else None

    async def _tell(self, destination: str, event: Event, ended: Ended) -> None:
        """What became of it, as the event of another function."""
        if event.id.count(_LINK) >= _LINKS:
            return
        region, account, name, qualifier = _target(destination)
        try:
            told = self._functions.find(account, region, name, qualifier)
        except AWSError:
            _log.warning("destination %s of %s is not there", destination, event.name)
            return
        said = json.dumps(record(ended)).encode()
        await self.accept(Invocation(told, qualifier, said, f"{event.id}{_LINK}{ended.condition[0]}"))

    async def _say(self, event: Event) -> Event | None:
        """The event without its first letter, which was sent or is not wanted; with it where nobody could take it."""
        letter, *rest = event.letters
        try:
            await self._post(letter)
        except AWSError as error:
            if error.status >= _OURS:
                return replace(event, refusals=event.refusals + 1, due=time.time() + _pause(event.refusals))
            _log.warning("%s could not be told of an event of %s: %s", letter.arn, event.name, error)
        return replace(event, letters=tuple(rest), refusals=0, due=0.0) if rest else None

    async def _keep(self, event: Event) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, self._files.write, event)

    async def _drop(self, event: Event) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, self._files.remove, event)


def _rules(event: Event, function: Function) -> EventRules:
    if event.tell:
        return EventRules(retries=0)
    return function.events.get(event.qualifier) or function.events.get("") or EventRules()


def _invocation(event: Event, function: Function) -> Invocation:
    return Invocation(function, event.qualifier, event.payload.encode(), event.id, client_context=event.client_context)


def _target(arn: str) -> tuple[str, str, str, str]:
    """Region, account, name and qualifier of a function's ARN."""
    parts = [*arn.split(":"), ""]
    return parts[3], parts[4], parts[6], parts[7]


def _pause(refusals: int) -> float:
    first, longest = _THROTTLED_SECONDS
    return min(longest, first * 2.0 ** min(refusals, 16))


def _ended(event: Event, function: Function, condition: str, outcome: Outcome | None) -> Ended:
    arn = f"{function.arn}:{event.qualifier or LATEST}"
    said = (outcome.version, outcome.error, outcome.payload) if outcome else ("", "", b"")
    return Ended(condition, arn, event.id, event.payload, event.tries, *said)


def _letters(event: Event, function: Function, destination: str, ended: Ended) -> tuple[Letter, ...]:
    version = function.versions.get(ended.version) or chosen(function, event.qualifier, 0.0)
    if version is None:
        return ()
    letters = []
    if destination and service_of(destination) != FUNCTIONS:
        letters.append(Letter(destination, version.role, function.arn, json.dumps(record(ended))))
    if version.dead_letters and ended.condition != _SUCCESS:
        attributes = dead_letter(ended)
        letters.append(Letter(version.dead_letters, version.role, function.arn, event.payload, attributes))
    return tuple(letters)
