"""FilterLogEvents: events of several streams of a group, merged by time
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html)."""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple, cast

from clary.services.context import Context
from clary.services.logs import tokens
from clary.services.logs.errors import invalid, no_stream
from clary.services.logs.events import ANSWER_BYTES, EVENTS, event_bytes
from clary.services.logs.patterns import compiled
from clary.services.logs.rows import STREAM, reader_of, require_group, stream_key, stream_name
from clary.services.logs.service import SERVICE
from clary.services.resources import Output, Params, present
from clary.store.rows import Query, Row
from clary.telemetry.logfile import Event, LogReader

_SEARCHED = 100_000
"""Events looked at for one answer: a search that finds little goes on with the next page."""

_STREAMS = 10_000
_AT_ONCE = 256
"""Events read before a stream's file is closed again: thousands of streams must not hold thousands of files open."""


class _Place(NamedTuple):
    """Where a search stands: behind this event."""

    timestamp: int
    stream: str
    position: int


_BEGINNING = _Place(-1, "", -1)


@SERVICE.operation("FilterLogEvents")
def filter_(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterException."""
    rows = _rows(context, params)
    matches = compiled(params.get("filterPattern", ""))
    search = _Search(_place(params), params.get("limit", EVENTS))
    for stream, event in _merged(context, rows, params, search.place):
        if not search.take(stream, event, hit=matches(event.message)):
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

    def take(self, stream: str, event: Event, *, hit: bool) -> bool:
        """Look at the next event; False where it is left to the next page."""
        size = self._size + (event_bytes(event.message) if hit else 0)
        full = len(self.found) == self._limit or (size > ANSWER_BYTES and bool(self.found))
        self._more = full or self._searched == _SEARCHED
        if not self._more:
            self._size, self._searched = size, self._searched + 1
            self.place = _Place(event.timestamp, stream, event.position)
            if hit:
                self.found.append(_shown(stream, event))
        return not self._more

    def token(self) -> str | None:
        """Of the next page."""
        return tokens.write(*self.place) if self._more else None


def _place(params: Params) -> _Place:
    if "nextToken" not in params:
        return _BEGINNING
    return _Place(*cast("tuple[int, str, int]", tokens.read(params["nextToken"], int, str, int)))


def _rows(context: Context, params: Params) -> list[Row]:
    group = require_group(context, params).key.name
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


def _merged(context: Context, rows: list[Row], params: Params, place: _Place) -> Iterator[tuple[str, Event]]:
    """Events behind `place`, ordered by time, stream and position."""
    start = max(params.get("startTime", 0), place.timestamp)
    streams = [_events(stream_name(row), reader_of(context, row), start, params.get("endTime")) for row in rows]
    for stream, event in heapq.merge(*streams, key=lambda pair: (pair[1].timestamp, pair[0], pair[1].position)):
        if (event.timestamp, stream, event.position) > place:
            yield stream, event


def _events(stream: str, reader: LogReader, start: int, end: int | None) -> Iterator[tuple[str, Event]]:
    """From `start` to `end`, which is included here, as it is not by GetLogEvents."""
    position = reader.seek(start) if start > 0 else 0
    while chunk := list(islice(reader.forward(position), _AT_ONCE)):
        for event in chunk:
            if end is not None and event.timestamp > end:
                return
            yield stream, event
        position = chunk[-1].end


def _shown(stream: str, event: Event) -> Output:
    return {
        "logStreamName": stream,
        "timestamp": event.timestamp,
        "message": event.message,
        "ingestionTime": event.ingested,
        "eventId": f"{event.timestamp:020d}{zlib.crc32(stream.encode()):010d}{event.position:026d}",
    }
