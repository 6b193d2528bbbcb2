"""PutLogEvents and GetLogEvents
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from clary.services.context import Context
from clary.services.logs import tokens
from clary.services.logs.deriving import derive
from clary.services.logs.errors import invalid
from clary.services.logs.rows import file_of, is_containers, kept_since, reader_of, require_both, require_stream
from clary.services.logs.service import SERVICE
from clary.services.resources import Output, Params, present
from clary.telemetry.insertion import append, insert
from clary.telemetry.logfile import EVENT_BYTES, Event, LogReader, milliseconds

EVENTS = 10_000
"""Most events of one answer."""

ANSWER_BYTES = 2**20
"""An answer ends before it exceeds 1 MiB, of which each event takes 26 bytes beside its message."""

EVENT_OVERHEAD = 26
BATCH_BYTES = 1_048_576
_DAY = 86_400_000
_OLDEST = 14 * _DAY
_NEWEST = 2 * 3_600_000


def event_bytes(message: str) -> int:
    """What an event counts against the limits."""
    return len(message.encode("utf-8", "replace")) + EVENT_OVERHEAD


@SERVICE.operation("PutLogEvents")
def put(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterException. Too old and too new ones are named and left out.
    What the group's filters make of them is done when it returns: metrics are there, functions have their events."""
    row = require_stream(context, params)
    events = params["logEvents"]
    _check_batch(events)
    now = milliseconds()
    accepted = [event for event in events if now - _OLDEST <= event["timestamp"] <= now + _NEWEST]
    path = file_of(context, row)
    pairs = [(event["timestamp"], event["message"]) for event in accepted]
    check = partial(require_stream, context, params)  # it may be deleted meanwhile, and its file must not come back
    if is_containers(row):
        append(path, pairs, now, check)
    else:
        insert(path, pairs, now, check)
        derive(context, row, pairs)
    return present({"nextSequenceToken": tokens.SEQUENCE, "rejectedLogEventsInfo": _rejected(events, now)})


def _check_batch(events: Sequence[Params]) -> None:
    times = [event["timestamp"] for event in events]
    if any(after < before for before, after in pairwise(times)):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    if times[-1] - times[0] > _DAY:
        raise invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
    sizes = [event_bytes(event["message"]) for event in events]
    if max(sizes) > EVENT_BYTES:
        raise invalid(f"Log event too large: {max(sizes)} bytes exceeds limit of {EVENT_BYTES}")
    if sum(sizes) > BATCH_BYTES:
        raise invalid(f"Upload too large: {sum(sizes)} bytes exceeds limit of {BATCH_BYTES}")


def _rejected(events: Sequence[Params], now: int) -> Output | None:
    """Indices: events before `tooOld…End` and from `tooNew…Start` on were left out."""
    old = sum(1 for event in events if event["timestamp"] < now - _OLDEST)
    new = sum(1 for event in events if event["timestamp"] > now + _NEWEST)
    indices = {
        "tooOldLogEventEndIndex": old or None,
        "tooNewLogEventStartIndex": len(events) - new if new else None,
    }
    return present(indices) or None


@SERVICE.operation("GetLogEvents")
def get(context: Context, params: Params) -> Output:
    """One page in the order of time. At either end the token that was given comes back."""
    group, stream = require_both(context, params)
    reader = reader_of(context, stream)
    params = {**params, "startTime": max(params.get("startTime", 0), kept_since(group))}
    direction, start = _start(reader, params)
    limit = params.get("limit", EVENTS)
    if direction == "f":
        events = _taken(_until(reader, start, params), limit)
    else:
        events = _taken(_down_to(reader, start, params), limit)[::-1]
    first = events[0].position if events else start
    after = events[-1].end if events else start
    return {
        "events": [_shown(event) for event in events],
        "nextForwardToken": tokens.forward(after),
        "nextBackwardToken": tokens.backward(first),
    }


def _start(reader: LogReader, params: Params) -> tuple[str, int]:
    """The direction, and the position within the times asked for."""
    token = params.get("nextToken")
    if token is not None:
        direction, position = tokens.position(token)
    elif params.get("startFromHead"):
        direction, position = "f", 0
    else:
        direction, position = "b", reader.end()
    if direction == "f" and params["startTime"]:
        position = max(position, reader.seek(params["startTime"]))
    if direction == "b" and "endTime" in params:
        position = min(position, reader.seek(params["endTime"]))
    return direction, position


def _until(reader: LogReader, start: int, params: Params) -> Iterable[Event]:
    end = params.get("endTime")
    for event in reader.forward(start):
        if end is not None and event.timestamp >= end:
            return
        yield event


def _down_to(reader: LogReader, start: int, params: Params) -> Iterable[Event]:
    earliest = params["startTime"]
    for event in reader.backward(start):
        if event.timestamp < earliest:
            return
        yield event


def _taken(events: Iterable[Event], limit: int) -> list[Event]:
    taken: list[Event] = []
    size = 0
    for event in events:
        size += event_bytes(event.message)
        if size > ANSWER_BYTES and taken:
            break
        taken.append(event)
        if len(taken) == limit:
            break
    return taken


def _shown(event: Event) -> dict[str, Any]:
    return {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.ingested}
