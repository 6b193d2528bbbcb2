"""Captured requests on their way to objects: files that edges append to and control takes away.

    3f2a….open      an edge appends to it, and holds its lock as long as it lives
    3f2a….closed    nobody writes to it any more

A file is a row of frames: a kind, a length, and so many bytes. A place (a variant, and what is captured of it) comes
before its first record and is named by its number then. What an edge has appended is there however the edge ends: the
pages are the kernel's. Of a frame that is cut off nothing counts.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import struct
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from clary.serving.capture import Capture

OPEN, CLOSED = ".open", ".closed"
_FRESH = ".new"
_FRESH_SECONDS = 60.0
"""A file that has not got its name by then never will: its edge has ended while it made it."""

_PLACE, _RECORD, _DROPPED = 0, 1, 2
_FRAME = struct.Struct("<BI")
_RECORD_HEAD = struct.Struct("<Id7I")
"""The place, the time, and how long each of the seven parts of an exchange is."""
_DROPPED_HEAD = struct.Struct("<II")


class Place(NamedTuple):
    """A variant of an endpoint, and what is captured of it."""

    account: str
    region: str
    endpoint: str
    variant: str
    log_group: str
    capture: Capture


class Exchange(NamedTuple):
    """One request and its answer; what is not captured is empty."""

    event_id: str
    inference_id: str
    custom_attributes: str
    input_type: str
    input: bytes
    output_type: str
    output: bytes


class Record(NamedTuple):
    """One that was captured."""

    place: Place
    seconds: float
    """Since the epoch."""
    exchange: Exchange


class Dropped(NamedTuple):
    """How many were to be captured, and were not."""

    place: Place
    requests: int


class Torn(Exception):
    """The machine died while the file was written: what follows cannot be read."""


class SegmentWriter:
    """One file of an edge. Every method may raise OSError, and has then written nothing."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = folder / f"{uuid.uuid4()}{_FRESH}"
        self._file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._path = fresh.rename(fresh.with_suffix(OPEN))  # seen by `finished` only once it is locked
        self._places: dict[Place, int] = {}
        self.size = 0
        """Bytes."""
        self.began = time.monotonic()

    def add(self, place: Place, seconds: float, exchange: Exchange) -> None:
        """Append one record."""
        event, inference, custom, input_type, input_, output_type, output = exchange
        texts = [text.encode("utf-8", "replace") for text in (event, inference, custom, input_type, output_type)]
        sizes = [*map(len, texts), len(input_), len(output)]
        head = _RECORD_HEAD.pack(self._number(place), seconds, *sizes)
        frame = _FRAME.pack(_RECORD, len(head) + sum(sizes))
        self._write([b"".join((frame, head, *texts)), input_, output])

    def add_dropped(self, place: Place, count: int) -> None:
        """Append that so many could not be captured."""
        payload = _DROPPED_HEAD.pack(self._number(place), count)
        self._write([_FRAME.pack(_DROPPED, len(payload)), payload])

    def close(self) -> None:
        """Nothing more will come."""
        try:
            self._path.rename(self._path.with_suffix(CLOSED))
        finally:
            os.close(self._file)

    def _number(self, place: Place) -> int:
        number = self._places.get(place)
        if number is None:
            payload = json.dumps([*place[:5], asdict(place.capture)]).encode()
            self._write([_FRAME.pack(_PLACE, len(payload)), payload])
            number = self._places[place] = len(self._places)
        return number

    def _write(self, parts: list[bytes]) -> None:
        wanted = sum(map(len, parts))
        if os.writev(self._file, parts) != wanted:
            os.ftruncate(self._file, self.size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.size += wanted


def finished(folder: Path) -> list[Path]:
    """Files that nobody writes to any more; those of edges that have ended without a word are closed here."""
    for path in folder.glob(f"*{OPEN}"):
        _take_up(path)
    for path in folder.glob(f"*{_FRESH}"):
        _clear(path)
    return sorted(folder.glob(f"*{CLOSED}"))


def read(path: Path) -> Iterator[Record | Dropped]:
    """What a file holds, up to its end or to a frame that is cut off. Raises Torn, OSError."""
    places: list[Place] = []
    try:
        for kind, payload in _frames(path):
            if kind == _PLACE:
                account, region, endpoint, variant, group, capture = json.loads(payload)
                places.append(Place(account, region, endpoint, variant, group, Capture.parse(capture)))
            elif kind == _RECORD:
                yield _record(places, payload)
            elif kind == _DROPPED:
                number, count = _DROPPED_HEAD.unpack(payload)
                yield Dropped(places[number], count)
    except (ValueError, IndexError, TypeError, struct.error) as error:
        raise Torn(path.name) from error


def _frames(path: Path) -> Iterator[tuple[int, bytes]]:
    """Kind and payload of each frame that is whole."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        while len(head := file.read(_FRAME.size)) == _FRAME.size:
            kind, length = _FRAME.unpack(head)
            if length > size - file.tell():
                return
            yield kind, file.read(length)


def _record(places: list[Place], payload: bytes) -> Record:
    number, seconds, *sizes = _RECORD_HEAD.unpack_from(payload)
    parts, start = [], _RECORD_HEAD.size
    for size in sizes:
        parts.append(payload[start : start + size])
        start += size
    event, inference, custom, input_type, output_type = (part.decode() for part in parts[:5])
    exchange = Exchange(event, inference, custom, input_type, parts[5], output_type, parts[6])
    return Record(places[number], seconds, exchange)


def _take_up(path: Path) -> None:
    """Close it where its edge has ended: the kernel has freed the lock then."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.rename(path.with_suffix(CLOSED))
    except (BlockingIOError, FileNotFoundError):  # its edge lives, or has closed it meanwhile
        pass
    finally:
        os.close(file)


def _clear(path: Path) -> None:
    try:
        if time.time() - path.stat().st_mtime > _FRESH_SECONDS:
            path.unlink()
    except FileNotFoundError:
        pass
