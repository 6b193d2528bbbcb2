"""Stateful sessions (https://docs.aws.amazon.com/sagemaker/latest/dg/stateful-sessions.html): which replica has which.

The model names a session and says until when it is good, in the answer to the request that asked for a new one. Each is
a small file: containers outlive the edge, and so do their sessions.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

NEW = "NEW_SESSION"
"""Asks the model for one."""

_SAID = re.compile(r"([a-zA-Z0-9](?:-*[a-zA-Z0-9])*); ?Expires=(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")
"""As botocore's NewSessionResponseHeader has it."""

_LONGEST_NAME = 256
_LONGEST_SECONDS = 7 * 86400.0
"""A session whose model never ends it is forgotten then."""

_SWEEP_SECONDS = 60.0

_log = logging.getLogger(__name__)


class Sessions:
    """All sessions of all endpoints; `folder` is made with the first. Belongs to one event loop."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock

    def begin(self, endpoint: str, said: str, container: str) -> None:
        """Keep what a model has said of a new session (`ID; Expires=TIME`). What is no such thing is none."""
        found = _SAID.fullmatch(said[: 2 * _LONGEST_NAME])
        expires = _time(found[2]) if found else None
        if found is None or expires is None or len(found[1]) > _LONGEST_NAME:
            _log.warning("%s: %r names no session: `ID; Expires=YYYY-MM-DDThh:mm:ssZ` does", endpoint, said[:300])
            return
        due = min(expires, self._clock() + _LONGEST_SECONDS)
        try:
            self._write(self._path(endpoint, found[1]), f"{due} {container}")
        except OSError as error:
            _log.warning("%s: a session cannot be kept: %s", endpoint, error)

    def container(self, endpoint: str, session: str) -> str:
        """The first container of the replica that has it; empty where there is no such session (any more)."""
        found = _read(self._path(endpoint, session))
        return found[1] if found and found[0] > self._clock() else ""

    def end(self, endpoint: str, session: str) -> None:
        """The model has closed it."""
        self._path(endpoint, session).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Forget those whose time is over."""
        with suppress(FileNotFoundError):
            for entry in os.scandir(self._folder):
                found = _read(Path(entry.path))
                if found and found[0] <= self._clock():
                    Path(entry.path).unlink(missing_ok=True)

    async def watch(self) -> None:
        """Sweep now and then; runs as long as the edge."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            await asyncio.to_thread(self.sweep)

    def _path(self, endpoint: str, session: str) -> Path:
        return self._folder / hashlib.sha256(f"{endpoint}/{session}".encode()).hexdigest()

    def _write(self, path: Path, text: str) -> None:
        """Whole or not at all."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        written = path.with_name(f".{secrets.token_hex(8)}")
        written.write_text(text, encoding="utf-8")
        written.replace(path)


def _read(path: Path) -> tuple[float, str] | None:
    """When it ends (epoch seconds), and whose it is."""
    try:
        due, _, container = path.read_text(encoding="utf-8").partition(" ")
        return float(due), container
    except (FileNotFoundError, ValueError):
        return None


def _time(text: str) -> float | None:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
