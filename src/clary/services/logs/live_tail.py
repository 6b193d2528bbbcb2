"""StartLiveTail: what comes into groups, as it comes
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartLiveTail.html).

The edge looks at the groups' files once a second; which stream a file is, control tells when one is first seen.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clary.errors import AWSError
from clary.services.context import EdgeContext
from clary.services.logs.errors import invalid, no_group
from clary.services.logs.filters import checked_pattern
from clary.services.logs.rows import GROUP, STREAM
from clary.services.logs.service import SERVICE, group_name
from clary.services.resources import Output, Params
from clary.store.rows import Key
from clary.telemetry.logfile import Event
from clary.telemetry.paths import group_folder, stream_file
from clary.telemetry.tailing import Fresh, GroupTail

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.view import Reader

QUESTION = "log-streams"

SESSION_SECONDS = 3 * 3600.0
UPDATE_SECONDS = 1.0
MOST = 500
"""Events of one update; where more have come, these are a sample of them."""

_GROUPS = 10
_NOWHERE = Path()


@dataclass
class _Group:
    """One that is looked at."""

    name: str
    shown: str
    tail: GroupTail
    streams: Mapping[str, str] = field(default_factory=dict)
    """Names by files."""


@dataclass(frozen=True)
class _Session:
    context: EdgeContext
    params: Params
    groups: list[_Group]
    matches: Callable[[str], bool]
    id: str


@SERVICE.operation("StartLiveTail", place="edge")
async def start(context: EdgeContext, params: Params) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterException."""
    _check(params)
    names = list(dict.fromkeys(group_name({"logGroupIdentifier": each}) for each in params["logGroupIdentifiers"]))
    matches = checked_pattern(params.get("logEventFilterPattern", "")).matches
    groups = [await _opened(context, name) for name in names]
    return {"responseStream": _events(_Session(context, params, groups, matches, str(uuid.uuid4())))}


def _check(params: Params) -> None:
    names, prefixes = params.get("logStreamNames"), params.get("logStreamNamePrefixes")
    groups = params["logGroupIdentifiers"]
    if len(groups) > _GROUPS:
        raise invalid(f"A Live Tail session can include at most {_GROUPS} log groups.")
    if names and prefixes:
        raise invalid("LogStreamNames and LogStreamNamePrefixes cannot be specified together.")
    if (names or prefixes) and len(groups) > 1:
        raise invalid("LogStreamNames and LogStreamNamePrefixes can only be specified with a single log group.")


async def _opened(context: EdgeContext, name: str) -> _Group:
    """Raises ResourceNotFoundException."""
    account, region = context.call.principal.account, context.call.region
    streams = await _streams(context, name)
    folder = group_folder(context.settings.logs_dir, account, region, name)
    tail = await asyncio.to_thread(GroupTail, folder)
    return _Group(name, f"{account}:{name}", tail, streams)


async def _streams(context: EdgeContext, group: str) -> Mapping[str, str]:
    asked = {"account": context.call.principal.account, "region": context.call.region, "group": group}
    found: Mapping[str, str] = (await context.ask(QUESTION, asked))["streams"]
    return found


def streams(reader: Reader, told: Mapping[str, Any]) -> dict[str, Any]:
    """At control: the names of a group's streams, by the names of their files. Raises ResourceNotFoundException."""
    group = Key(GROUP, told["account"], told["region"], told["group"])
    if reader.get(group) is None:
        raise no_group()
    names = [row.key.name.partition(":")[2] for row in reader.children(STREAM, group)]
    return {"streams": {_file(told, name): name for name in names}}


def _file(told: Mapping[str, Any], stream: str) -> str:
    return stream_file(_NOWHERE, told["account"], told["region"], told["group"], stream).name


async def _events(session: _Session) -> AsyncGenerator[dict[str, Any], None]:
    """A beginning, an update each second, and after three hours the end. Raises AWSError."""
    yield {"sessionStart": _beginning(session)}
    loop = asyncio.get_running_loop()
    began = due = loop.time()
    while loop.time() < began + SESSION_SECONDS:
        due = max(due + UPDATE_SECONDS, loop.time())
        await asyncio.sleep(due - loop.time())
        yield {"sessionUpdate": await _update(session)}
    raise AWSError("SessionTimeoutException", "The Live Tail session has timed out.")


def _beginning(session: _Session) -> Output:
    asked = session.params
    return {
        "requestId": session.context.call.request_id,
        "sessionId": session.id,
        "logGroupIdentifiers": [group.shown for group in session.groups],
        "logStreamNames": asked.get("logStreamNames") or [],
        "logStreamNamePrefixes": asked.get("logStreamNamePrefixes") or [],
        "logEventFilterPattern": asked.get("logEventFilterPattern") or "",
    }


async def _update(session: _Session) -> Output:
    found: list[Output] = []
    whole = True
    for group in session.groups:
        for fresh in await asyncio.to_thread(_fresh, group.tail):
            stream = await _name(session, group, fresh.file)
            if stream is not None and _wanted(session.params, stream):
                matching = await asyncio.to_thread(_matching, session, fresh.events)
                found += [_shown(group, stream, event) for event in matching]
                whole = whole and fresh.whole
    found.sort(key=lambda event: event["timestamp"])
    sampled = _sample(found)
    return {"sessionMetadata": {"sampled": len(sampled) < len(found) or not whole}, "sessionResults": sampled}


async def _name(session: _Session, group: _Group, file: str) -> str | None:
    """None for the file of a stream that was deleted meanwhile. A group that was deleted has no streams."""
    if file not in group.streams:
        try:
            group.streams = await _streams(session.context, group.name)
        except AWSError:
            return None
    return group.streams.get(file)


def _wanted(params: Params, stream: str) -> bool:
    names, prefixes = params.get("logStreamNames"), params.get("logStreamNamePrefixes")
    if names:
        return stream in names
    return not prefixes or stream.startswith(tuple(prefixes))


def _fresh(tail: GroupTail) -> list[Fresh]:
    return list(tail.fresh())


def _matching(session: _Session, events: list[Event]) -> list[Event]:
    return [event for event in events if session.matches(event.message)]


def _shown(group: _Group, stream: str, event: Event) -> Output:
    return {
        "logStreamName": stream,
        "logGroupIdentifier": group.shown,
        "message": event.message,
        "timestamp": event.timestamp,
        "ingestionTime": event.ingested,
    }


def _sample(found: list[Output]) -> list[Output]:
    """At even distances."""
    if len(found) <= MOST:
        return found
    return [found[number * len(found) // MOST] for number in range(MOST)]
