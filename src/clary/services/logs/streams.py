"""Log streams (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogStreams.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clary.errors import ValidationError
from clary.services.context import Context
from clary.services.logs import remains, tokens
from clary.services.logs.errors import invalid, invalid_token, no_group, stream_exists
from clary.services.logs.groups import PAGE
from clary.services.logs.rows import (
    STREAM,
    file_of,
    group_key,
    is_containers,
    is_there,
    milliseconds,
    reader_of,
    require_both,
    require_group,
    stream_name,
    stream_row,
)
from clary.services.logs.service import SERVICE
from clary.services.resources import Output, Params, now, present
from clary.store.rows import AlreadyExists, Page, Query, Row
from clary.telemetry.insertion import begin

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_ALL = 10_000
"""Streams of a group that can be ordered by their last events."""


@SERVICE.operation("CreateLogStream")
def create(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, ResourceAlreadyExistsException."""
    group = group_key(context, params["logGroupName"])
    row = stream_row(context, group.name, params["logStreamName"], now())

    def change(transaction: Transaction) -> None:
        if transaction.get(group) is None:
            raise no_group()
        transaction.insert(row)

    try:
        if is_containers(row):  # what prints may have begun
            context.store.write(change)
            context.wake(group)
        else:
            begin(file_of(context, row), lambda: is_there(context, row), lambda: context.store.write(change))
    except AlreadyExists:
        raise stream_exists() from None
    return {}


@SERVICE.operation("DeleteLogStream")
def delete(context: Context, params: Params) -> Output:
    """With its events. Raises ResourceNotFoundException."""
    group, row = require_both(context, params)

    def change(transaction: Transaction) -> Row:
        transaction.delete(row.key)
        return remains.note(transaction, group.key, [row])

    remains.remove(context.store, context.settings.logs_dir, context.store.write(change))
    return {}


@SERVICE.operation("DescribeLogStreams")
def describe(context: Context, params: Params) -> Output:
    """By name, or by the time of the last event. Raises ResourceNotFoundException, InvalidParameterException,
    ValidationException."""
    if params.get("logGroupName") and params.get("logGroupIdentifier"):
        raise ValidationError("LogGroup name and LogGroup ARN are mutually exclusive parameters.")
    group = require_group(context, params).key.name
    if params.get("orderBy") == "LastEventTime":
        return _by_last_event(context, group, params)
    page = _page(context, _query(context, group, params, params.get("limit", PAGE)))
    return present({"logStreams": [_shown(context, row) for row in page.rows], "nextToken": page.token})


def _query(context: Context, group: str, params: Params, limit: int) -> Query:
    return Query(
        kind=STREAM,
        account=context.account,
        region=context.region,
        sort_by="name",
        descending=params.get("descending", False),
        limit=limit,
        token=params.get("nextToken"),
        name_prefix=f"{group}:{params.get('logStreamNamePrefix', '')}",
        parent=group,
    )


def _page(context: Context, query: Query) -> Page:
    try:
        return context.store.read.page(query)
    except ValueError:
        raise invalid_token() from None


def _by_last_event(context: Context, group: str, params: Params) -> Output:
    if "logStreamNamePrefix" in params:
        raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
    token, descending = params.get("nextToken"), params.get("descending", False)
    rows = _page(context, _query(context, group, {}, _ALL)).rows
    streams = sorted((_shown(context, row) for row in rows), key=_place, reverse=descending)
    if token is not None:  # the stream that it names may have another place by now
        after = tokens.read(token, int, str)
        streams = [each for each in streams if (_place(each) < after if descending else _place(each) > after)]
    limit = params.get("limit", PAGE)
    shown = streams[:limit]
    more = tokens.write(*_place(shown[-1])) if limit < len(streams) else None
    return present({"logStreams": shown, "nextToken": more})


def _place(stream: Output) -> tuple[int | str, ...]:
    return stream.get("lastEventTimestamp", 0), stream["logStreamName"]


def _shown(context: Context, row: Row) -> Output:
    reader = reader_of(context, row)
    first, last = reader.first(), reader.last()
    return present(
        {
            "logStreamName": stream_name(row),
            "creationTime": milliseconds(row.created),
            "firstEventTimestamp": first.timestamp if first else None,
            "lastEventTimestamp": last.timestamp if last else None,
            "lastIngestionTime": last.ingested if last else None,
            "uploadSequenceToken": tokens.SEQUENCE,
            "arn": row.arn,
            "storedBytes": 0,  # of single streams AWS has reported nothing since 2019
        }
    )
