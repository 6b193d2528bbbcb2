"""Access logs of APIs, on their way to CloudWatch Logs in control."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import Any

from clary.apis.access_log import AccessLog, Group
from clary.calls import Call, Door, account_root
from clary.errors import AWSError

EVERY_SECONDS = 1.0
"""How old a line may be that a person waits for."""

_log = logging.getLogger(__name__)


async def write(lines: AccessLog, door: Door) -> None:
    """Hand lines on every second, as long as the edge runs. Where control is away those of that time are lost."""
    stream = secrets.token_hex(16)
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        for group, events in lines.take():
            try:
                await put(door, group, stream, events)
            except AWSError as error:
                _log.warning("%d lines were not written to %s: %s", len(events), group.name, error)


async def put(door: Door, group: Group, stream: str, events: list[dict[str, Any]]) -> None:
    """Events of a stream; a group or stream that is not there is made. Raises AWSError."""
    place = {"logGroupName": group.name, "logStreamName": stream}
    try:
        await _call(door, group, "PutLogEvents", {**place, "logEvents": events})
    except AWSError as error:
        if error.code != "ResourceNotFoundException":
            raise
        await _make(door, group, "CreateLogGroup", {"logGroupName": group.name})
        await _make(door, group, "CreateLogStream", place)
        await _call(door, group, "PutLogEvents", {**place, "logEvents": events})


async def _make(door: Door, group: Group, operation: str, params: dict[str, Any]) -> None:
    try:
        await _call(door, group, operation, params)
    except AWSError as error:
        if error.code != "ResourceAlreadyExistsException":
            raise


async def _call(door: Door, group: Group, operation: str, params: dict[str, Any]) -> None:
    await door(Call(account_root(group.account), "logs", operation, params, group.region))
