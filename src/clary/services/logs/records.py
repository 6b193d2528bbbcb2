"""Single events and their fields: GetLogRecord, GetLogGroupFields
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogGroupFields.html)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from clary.errors import AWSError
from clary.logsearch.insights.functions import text
from clary.logsearch.insights.records import Record, Source, checksum, pointed
from clary.services.context import Context
from clary.services.logs.errors import invalid
from clary.services.logs.rows import (
    STREAM,
    group_key,
    kept_since,
    reader_of,
    require_group,
    stream_key,
    stream_name,
)
from clary.services.logs.service import SERVICE
from clary.services.resources import Output, Params
from clary.store.rows import Row

_WINDOW = 8 * 60_000
"""Milliseconds before and after the time that is asked for; without one, twice as much before now."""

_LOOKED_AT = 1000
"""Events of a group whose fields are told, the newest of each stream."""

_OF_EACH = ("@message", "@timestamp", "@logStream", "@log", "@ingestionTime")
_SAME_MOMENT = 10_000


@SERVICE.operation("GetLogRecord")
def get_record(context: Context, params: Params) -> Output:
    """All fields of the event that `@ptr` points to. Raises InvalidParameterException, ResourceNotFoundException."""
    try:
        group, stream, timestamp, known = pointed(params["logRecordPointer"])
    except (ValueError, RecursionError):
        raise invalid("The specified log record pointer is invalid.") from None
    there = context.store.read.get(group_key(context, group))
    row = context.store.read.get(stream_key(context, group, stream))
    record = _pointed(context, there, row, timestamp, known)
    if record is None:
        raise AWSError("ResourceNotFoundException", "The specified log record does not exist.")
    own = {name: text(record.get(name)) for name in (*_OF_EACH, "@ptr")}
    return {"logRecord": own | {name: text(value) for name, value in record.discovered().items()}}


def _pointed(context: Context, group: Row | None, row: Row | None, timestamp: int, known: int) -> Record | None:
    if group is None or row is None or timestamp < kept_since(group):
        return None
    reader = reader_of(context, row)
    for event in islice(reader.forward(reader.seek(timestamp)), _SAME_MOMENT):
        if event.timestamp != timestamp:
            return None
        if checksum(event.message) == known:
            source = Source(context.account, row.parent, stream_name(row))
            return Record(source, event.timestamp, event.ingested, event.message)
    return None


@SERVICE.operation("GetLogGroupFields")
def get_fields(context: Context, params: Params) -> Output:
    """Which fields the newest events have, and how many of a hundred have each. Raises ResourceNotFoundException."""
    group = require_group(context, params)
    middle = params.get("time")
    if middle is None:
        last = int(time.time() * 1000) + 1
        first = last - 2 * _WINDOW
    else:
        middle = middle * 1000 if middle < 100_000_000_000 else middle
        first, last = middle - _WINDOW, middle + _WINDOW
    counts, events = Counter[str](), 0
    for record in _newest(context, group, max(first, kept_since(group)), last):
        events += 1
        counts.update((*_OF_EACH, *record.discovered()))
    found = [{"name": name, "percent": count * 100 // events} for name, count in counts.most_common()]
    return {"logGroupFields": found}


def _newest(context: Context, group: Row, first: int, last: int) -> Iterator[Record]:
    left = _LOOKED_AT
    for row in context.store.read.children(STREAM, group.key):
        reader = reader_of(context, row)
        source = Source(context.account, group.key.name, stream_name(row))
        for event in islice(reader.backward(reader.seek(last)), left):
            if event.timestamp < first:
                break
            left -= 1
            yield Record(source, event.timestamp, event.ingested, event.message)
        if not left:
            return
