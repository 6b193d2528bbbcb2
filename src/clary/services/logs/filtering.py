"""FilterLogEvents: events of several streams of a group, merged by time
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html)."""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple, cast

from clary.logfilters.deliveries import event_id
from clary.services.context import Context
from clary.services.logs import tokens
from clary.services.logs.errors import invalid, no_stream
from clary.services.logs.events import ANSWER_BYTES, EVENTS, event_bytes
from clary.services.logs.filters import checked_pattern
from clary.services.logs.rows import STREAM, kept_since, reader_of, require_group, stream_key, stream_name
from clary.services.logs.service import SERVICE
from clary.services.resources import Output, Params, present
from clary.store.rows import Query, Row
from clary.telemetry.logfile import Event, LogReader

_SEARCHED = 100_000
"""Events looked at for one answer: a search that finds little goes on with the next page."""

_STREAMS = 10_000
_AT_ONCE = 256
"""Events read before a stream's file is closed again: thousands of streams must not hold thousands of files open …"""

_TOGETHER = 16_384
"""… but few streams are read on for longer …"""

_BYTES = 16 * 2**20
_BYTES_OF_ONE = 64 * 2**10
"""… as long as what is read of all of them, and of each, has room in memory."""

_MARK = 512
"""Every so many events that do not match, how far a stream has been searched is said to the others."""


class _Place(NamedTuple):
    """Where a search stands: behind this event."""

    timestamp: int
    stream: str
    position: int


_BEGINNING = _Place(-1, "", -1)

_Stretch = tuple[int, int | None]
"""From and to, in milliseconds."""


class _Seen(NamedTuple):
    """An event that matches, or how far a stream has been searched; `looked_at` events since the last."""

    event: Event
    hit: bool
    looked_at: int


@SERVICE.operation("FilterLogEvents")
def filter_(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterException."""
    group = require_group(context, params)
    rows = _rows(context, group.key.name, params)
    matches = checked_pattern(params.get("filterPattern", "")).matches
    search = _Search(_place(params), params.get("limit", EVENTS))
    stretch = max(params.get("startTime", 0), kept_since(group), search.place.timestamp), params.get("endTime")
    for stream, seen in _merged(context, rows, matches, stretch, search.place):
        if not search.take(stream, seen):
            break
    return present({"events": search.found, "searchedLogStreams": [], "nextToken": search.token()})


class _Search:
    """What has been found, and how far the search has come."""

    def __init__(self, place: _Place, limit: int) -> None:
        self.place = place
        self.found: list[Output] = []
        self._limit = limit
        self._size = 0
        self._searched = 0
        self._more = False

    def take(self, stream: str, seen: _Seen) -> bool:
        """Look at what comes next; False where it is left to the next page."""
        event = seen.event
        size = self._size + (event_bytes(event.message) if seen.hit else 0)
        full = len(self.found) == self._limit or (size > ANSWER_BYTES and bool(self.found))
        self._more = full or self._searched >= _SEARCHED
        if not self._more:
            self._size, self._searched = size, self._searched + seen.looked_at
            self.place = _Place(event.timestamp, stream, event.position)
            if seen.hit:
                self.found.append(_shown(stream, event))
        return not self._more

    def token(self) -> str | None:
        """Of the next page."""
        return tokens.write(*self.place) if self._more else None


def _place(params: Params) -> _Place:
    if "nextToken" not in params:
        return _BEGINNING
    return _Place(*cast("tuple[int, str, int]", tokens.read(params["nextToken"], int, str, int)))


def _rows(context: Context, group: str, params: Params) -> list[Row]:
    names, prefix = params.get("logStreamNames"), params.get("logStreamNamePrefix")
    if names is not None and prefix is not None:
        raise invalid("Only one of logStreamNames and logStreamNamePrefix may be specified.")
    if names is None:
        return list(context.store.read.page(_query(context, group, prefix or "")).rows)
    found = [context.store.read.get(stream_key(context, group, name)) for name in sorted(set(names))]
    if None in found:
        raise no_stream()
    return [row for row in found if row is not None]


def _query(context: Context, group: str, prefix: str) -> Query:
    return Query(
        kind=STREAM,
        account=context.account,
        region=context.region,
        sort_by="name",
        descending=False,
        limit=_STREAMS,
        name_prefix=f"{group}:{prefix}",
        parent=group,
    )


def _merged(
    context: Context, rows: list[Row], matches: Callable[[str], bool], stretch: _Stretch, place: _Place
) -> Iterator[tuple[str, _Seen]]:
    """What is behind `place`, ordered by time, stream and position."""
    count = max(1, len(rows))
    at_once = max(_AT_ONCE, _TOGETHER // count), max(_BYTES_OF_ONE, _BYTES // count)
    streams = [_searched(stream_name(row), reader_of(context, row), matches, stretch, at_once) for row in rows]
    if len(streams) == 1:
        merged: Iterator[tuple[str, _Seen]] = streams[0]
    else:
        merged = heapq.merge(*streams, key=lambda pair: (pair[1].event.timestamp, pair[0], pair[1].event.position))
    for stream, seen in merged:
        if (seen.event.timestamp, stream, seen.event.position) > place:
            yield stream, seen


def _searched(
    stream: str, reader: LogReader, matches: Callable[[str], bool], stretch: _Stretch, at_once: tuple[int, int]
) -> Iterator[tuple[str, _Seen]]:
    """From the start to the end, which is included here, as it is not by GetLogEvents."""
    start, end = stretch
    position, count = reader.seek(start) if start > 0 else 0, 0
    while chunk := reader.piece(position, *at_once):
        for event in chunk:
            if end is not None and event.timestamp > end:
                return
            count += 1
            hit = matches(event.message)
            if hit or count == _MARK:
                yield stream, _Seen(event, hit, count)
                count = 0
        position = chunk[-1].end


def _shown(stream: str, event: Event) -> Output:
    return {
        "logStreamName": stream,
        "timestamp": event.timestamp,
        "message": event.message,
        "ingestionTime": event.ingested,
        "eventId": event_id(event.timestamp, zlib.crc32(stream.encode()), event.position),
    }
