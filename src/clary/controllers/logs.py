"""Log groups and streams of containers, made by calling the Logs service as any client would."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clary.calls import Call, account_root
from clary.errors import AWSError
from clary.store.rows import Key
from clary.telemetry.logfile import LogWriter

Invoke = Callable[[Call], dict[str, Any]]
"""Carries out a call inside control."""

_THERE = "ResourceAlreadyExistsException"
_GONE = "ResourceNotFoundException"
_TRIES = 3
"""Whoever deletes a group does so once or twice, not for ever."""


class Logs:
    """Makes sure that what a container writes can be found by the clients of Logs."""

    def __init__(self, invoke: Invoke) -> None:
        self._invoke = invoke

    def ensure(self, owner: Key, group: str, stream: str) -> None:
        """The group and the stream are there; may be called again. A group that is deleted in between is made anew."""
        for left in reversed(range(_TRIES)):
            self._create(owner, "CreateLogGroup", {"logGroupName": group})
            try:
                self._create(owner, "CreateLogStream", {"logGroupName": group, "logStreamName": stream})
            except AWSError as error:
                if error.code != _GONE or not left:
                    raise
            else:
                return

    def remove(self, owner: Key, group: str) -> None:
        """The group and all its streams are gone; may be called again."""
        call = Call(account_root(owner.account), "logs", "DeleteLogGroup", {"logGroupName": group}, owner.region)
        try:
            self._invoke(call)
        except AWSError as error:
            if error.code != _GONE:
                raise

    def _create(self, owner: Key, operation: str, params: dict[str, Any]) -> None:
        principal = account_root(owner.account)
        call = Call(principal, "logs", operation, params, owner.region, parent=owner.name)
        try:
            self._invoke(call)
        except AWSError as error:
            if error.code != _THERE:
                raise


@contextmanager
def lines_into(path: Path) -> Iterator[Callable[[str], None]]:
    """Write lines into a stream's file before its container does."""
    writer = LogWriter(path)
    try:
        yield lambda line: writer.feed(line.encode() + b"\n", int(time.time() * 1000))
    finally:
        writer.close()
