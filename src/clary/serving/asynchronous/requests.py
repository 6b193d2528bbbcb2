"""Requests on the disk: each is a file from before its client is answered until all that follows from it has happened.

    ID.body    what came with the request itself, where it names no object
    ID.json    the request; written last, and first to go

A file needs nobody but the edge that has it; whoever starts after a crash takes up what lies there.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from clary import durable

_LOCK = "lock"
_FRESH_SECONDS = 60.0


@dataclass(frozen=True)
class Owner:
    """The endpoint whose queue a request waits in."""

    account: str
    region: str
    endpoint: str
    id: str
    """As `Asynchronous.id`: what waited for an endpoint that was deleted is not for the next one of its name."""


@dataclass(frozen=True)
class Letter:
    """A notification that is still to be sent."""

    topic: str
    role: str
    body: str


@dataclass(frozen=True)
class AsyncRequest:
    """One that was acknowledged. Times in epoch seconds."""

    id: str
    owner: Owner
    inference_id: str
    input: str
    """InputLocation; empty where the body came with the request."""
    output: str
    """OutputLocation."""
    failure: str
    """FailureLocation; empty where the endpoint has none."""
    accepted: float
    ttl: float
    """Seconds that it may wait."""
    timeout: float
    """Seconds that the model has for it."""
    params: Mapping[str, str] = field(default_factory=dict)
    """ContentType, Accept and CustomAttributes, as far as the client gave them."""
    deaths: int = 0
    """How often a container has ended the connection with it in its hands."""
    variant: str = ""
    """Who has answered; empty as long as nobody has."""
    letter: Letter | None = None
    """What is still to be said of it: all else is done."""

    @property
    def expires(self) -> float:
        """When it has waited for too long."""
        return self.accepted + self.ttl


class RequestFiles:
    """The files of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, request: AsyncRequest, body: bytes = b"") -> None:
        """It is on the disk when this returns. Raises OSError."""
        if body:
            durable.replace(self._body(request), body)
        durable.replace(self._path(request), json.dumps(asdict(request)).encode())

    def body(self, request: AsyncRequest) -> bytes:
        """What came with it. Raises OSError."""
        return self._body(request).read_bytes()

    def remove(self, requests: Iterable[AsyncRequest]) -> None:
        """They are done, or given up."""
        for request in requests:
            self._path(request).unlink(missing_ok=True)
            self._body(request).unlink(missing_ok=True)

    def left(self) -> list[AsyncRequest]:
        """All that wait, the oldest first; bodies whose request was never acknowledged go away. For whoever has the
        lock."""
        found = []
        for path in self._folder.glob("*.json"):
            with suppress(ValueError, TypeError, KeyError, FileNotFoundError):
                found.append(_request(json.loads(path.read_bytes())))
        self._sweep(frozenset(request.id for request in found))
        return sorted(found, key=lambda request: request.accepted)

    def take_over(self) -> int | None:
        """The right to work on what lies here, as a descriptor that holds it; None while another process does. The
        kernel gives it free however that ends."""
        descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def _sweep(self, known: frozenset[str]) -> None:
        """Not what is just being accepted: its request is written after it."""
        for body in self._folder.glob("*.body"):
            with suppress(FileNotFoundError):
                if body.stem not in known and time.time() - body.stat().st_mtime > _FRESH_SECONDS:
                    body.unlink()

    def _path(self, request: AsyncRequest) -> Path:
        return self._folder / f"{request.id}.json"

    def _body(self, request: AsyncRequest) -> Path:
        return self._folder / f"{request.id}.body"


def _request(said: dict[str, Any]) -> AsyncRequest:
    letter = said["letter"]
    return AsyncRequest(**{**said, "owner": Owner(**said["owner"]), "letter": letter and Letter(**letter)})
