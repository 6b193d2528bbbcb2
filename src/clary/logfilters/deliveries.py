"""What subscription filters hand to functions
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html#LambdaFunctionExample)."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Sequence
from typing import Any

_BYTES = 400_000
"""Of messages in one delivery: an event of a function holds a mebibyte, in base64."""


def event_id(timestamp: int, stream: int, number: int) -> str:
    """56 digits, as CloudWatch Logs names events."""
    return f"{timestamp:020d}{stream:010d}{number:026d}"


def payloads(owner: str, group: str, stream: str, name: str, events: Sequence[tuple[str, int, str]]) -> Iterator[bytes]:
    """Events of functions, with log events (id, time in milliseconds, message) as they were found."""
    for part in _parts(events):
        data = {
            "messageType": "DATA_MESSAGE",
            "owner": owner,
            "logGroup": group,
            "logStream": stream,
            "subscriptionFilters": [name],
            "logEvents": [{"id": id_, "timestamp": when, "message": message} for id_, when, message in part],
        }
        yield json.dumps({"awslogs": {"data": packed(data)}}, separators=(",", ":")).encode()


def packed(data: dict[str, Any]) -> str:
    """JSON, gzip, base64."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
    return base64.b64encode(gzip.compress(text, 6, mtime=0)).decode()


def _parts(events: Sequence[tuple[str, int, str]]) -> Iterator[list[tuple[str, int, str]]]:
    part: list[tuple[str, int, str]] = []
    size = 0
    for event in events:
        length = len(event[2].encode("utf-8", "replace"))
        if part and size + length > _BYTES:
            yield part
            part, size = [], 0
        part.append(event)
        size += length
    if part:
        yield part
