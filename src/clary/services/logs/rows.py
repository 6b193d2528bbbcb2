"""Groups and streams as rows. What a stream says lies in its file, not here."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Any

from clary.names import Arn
from clary.services.context import Context
from clary.services.logs.errors import no_group, no_stream
from clary.services.logs.service import group_name
from clary.store.rows import Key, Row
from clary.telemetry.logfile import LogReader
from clary.telemetry.paths import stream_file
from clary.telemetry.retention import horizon

GROUP = "log-group"
STREAM = "log-stream"

_CONTAINERS = "/aws/sagemaker/"
"""Groups whose streams' files are written by containers' shims: events are only ever added at their ends."""

CONTAINER = "container"
"""In a stream's spec: Clary has made it for a container, in whatever group."""


def milliseconds(moment: datetime) -> int:
    """As the API gives times."""
    return int(moment.timestamp() * 1000)


def group_key(context: Context, group: str) -> Key:
    """A log group's key."""
    return Key(GROUP, context.account, context.region, group)


def stream_key(context: Context, group: str, stream: str) -> Key:
    """A stream's key: names of groups and streams hold no colon."""
    return Key(STREAM, context.account, context.region, f"{group}:{stream}")


def group_row(context: Context, group: str, spec: dict[str, Any], now: datetime) -> Row:
    """A new group."""
    return Row(group_key(context, group), group_arn(context, group), "", now, now, spec)


def stream_row(context: Context, group: str, stream: str, now: datetime) -> Row:
    """A new stream; its group is its `parent`. Only Clary itself says for what it makes one."""
    spec = {CONTAINER: True} if context.call.parent else {}
    arn = f"{group_arn(context, group)}:log-stream:{stream}"
    return Row(stream_key(context, group, stream), arn, "", now, now, spec, parent=group)


def group_arn(context: Context, group: str) -> str:
    """`arn:aws:logs:…:log-group:NAME`."""
    return str(Arn("logs", context.region, context.account, f"log-group:{group}"))


def stream_name(row: Row) -> str:
    """The name within the group."""
    return row.key.name.partition(":")[2]


def require_group(context: Context, params: dict[str, Any]) -> Row:
    """The group that a request names. Raises ResourceNotFoundException."""
    row = context.store.read.get(group_key(context, group_name(params)))
    if row is None:
        raise no_group()
    return row


def require_stream(context: Context, params: dict[str, Any]) -> Row:
    """The stream that a request names. Raises ResourceNotFoundException, for the group first."""
    return require_both(context, params)[1]


def require_both(context: Context, params: dict[str, Any]) -> tuple[Row, Row]:
    """The group and the stream that a request names. Raises ResourceNotFoundException."""
    group = require_group(context, params)
    row = context.store.read.get(stream_key(context, group.key.name, params["logStreamName"]))
    if row is None:
        raise no_stream()
    return group, row


def file_of(context: Context, row: Row) -> Path:
    """The file that holds a stream's events."""
    key = row.key
    return stream_file(context.settings.logs_dir, key.account, key.region, row.parent, stream_name(row))


def is_there(context: Context, row: Row) -> bool:
    """Whether there is a row of its name."""
    return context.store.read.get(row.key) is not None


def reader_of(context: Context, row: Row) -> LogReader:
    """Reads a stream."""
    return LogReader(file_of(context, row))


def is_containers(row: Row) -> bool:
    """Whether a shim may be writing this stream."""
    return row.parent.startswith(_CONTAINERS) or CONTAINER in row.spec


def kept_since(group: Row) -> int:
    """The time (milliseconds) before which events are not shown any more, though they may still be on the disk."""
    return horizon(group.spec.get("retentionInDays"), time.time())
