"""The rows of log groups and streams: written by CloudWatch Logs' operations and by controllers, whose containers' logs
are streams too."""

from __future__ import annotations

from datetime import datetime

from clary.names import Arn
from clary.store.rows import Key, Row
from clary.store.transaction import Transaction

GROUP = "log-group"
STREAM = "log-stream"

CONTAINER = "container"
"""In a stream's spec, `writer`: a container's shim writes the file, so that nobody else may write it anew."""


def group_key(account: str, region: str, group: str) -> Key:
    """A log group's key."""
    return Key(GROUP, account, region, group)


def stream_key(account: str, region: str, group: str, stream: str) -> Key:
    """A stream's key: names of groups and streams hold no colon."""
    return Key(STREAM, account, region, f"{group}:{stream}")


def group_arn(account: str, region: str, group: str) -> str:
    """`arn:aws:logs:…:log-group:NAME` (without the `:*` that DescribeLogGroups' `arn` ends in)."""
    return str(Arn("logs", region, account, f"log-group:{group}"))


def stream_arn(account: str, region: str, group: str, stream: str) -> str:
    """`arn:aws:logs:…:log-group:GROUP:log-stream:STREAM`."""
    return f"{group_arn(account, region, group)}:log-stream:{stream}"


def group_row(key: Key, now: datetime, spec: dict[str, object] | None = None) -> Row:
    """A new log group."""
    arn = group_arn(key.account, key.region, key.name)
    return Row(key, arn, "", now, now, spec or {"logGroupClass": "STANDARD"})


def stream_row(key: Key, now: datetime, writer: str = "") -> Row:
    """A new stream; its group is its `parent`."""
    group, _, stream = key.name.partition(":")
    arn = stream_arn(key.account, key.region, group, stream)
    return Row(key, arn, "", now, now, {"stream": stream, "writer": writer}, parent=group)


def ensure_group(transaction: Transaction, account: str, region: str, group: str, now: datetime) -> None:
    """The group is there from now on."""
    key = group_key(account, region, group)
    if transaction.get(key) is None:
        transaction.insert(group_row(key, now))


def ensure_stream(transaction: Transaction, account: str, region: str, group: str, stream: str, now: datetime) -> None:
    """The group, and in it the stream of a container, are there from now on.

    The stream's file is `telemetry.paths.stream_file(logs_dir, account, region, group, stream)`.
    """
    ensure_group(transaction, account, region, group, now)
    key = stream_key(account, region, group, stream)
    if transaction.get(key) is None:
        transaction.insert(stream_row(key, now, CONTAINER))
