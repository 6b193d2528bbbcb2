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
_RECORD_HEAD = struct.Struct("<Id3I")
"""The place, the time, and how many bytes are texts, input and output."""
_WHOLE_HEAD = struct.Struct(_FRAME.format + _RECORD_HEAD.format.removeprefix("<"))
"""Both: what is packed at every request."""
_DROPPED_HEAD = struct.Struct("<II")
_BETWEEN = "\0"
"""Stands between the texts of a record."""


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
    output_type: str
    input: bytes
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


_PlaceKey = tuple[int, str, str, str, str]


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
        self._places: list[Place] = []
        self._numbers: dict[_PlaceKey, int] = {}
        self.size = 0
        """Bytes."""
        self.began = time.monotonic()

    def add(self, place: Place, seconds: float, exchange: Exchange) -> None:
        """Append one record."""
        text, input_, output = _joined(exchange).encode("utf-8", "replace"), exchange.input, exchange.output
        sizes = len(text), len(input_), len(output)
        size = _RECORD_HEAD.size + sum(sizes)
        head = _WHOLE_HEAD.pack(_RECORD, size, self._number(place), seconds, *sizes)
        self._write((head + text, input_, output), _FRAME.size + size)

    def add_dropped(self, place: Place, count: int) -> None:
        """Append that so many could not be captured."""
        payload = _DROPPED_HEAD.pack(self._number(place), count)
        self._write((_FRAME.pack(_DROPPED, len(payload)), payload), _FRAME.size + len(payload))

    def close(self) -> None:
        """Nothing more will come."""
        try:
            self._path.rename(self._path.with_suffix(CLOSED))
        finally:
            os.close(self._file)

    def _number(self, place: Place) -> int:
        """Places are kept, so that no two captures here have one identity."""
        key = (id(place.capture), *place[:4])
        number = self._numbers.get(key)
        if number is None:
            payload = json.dumps([*place[:5], asdict(place.capture)]).encode()
            self._write((_FRAME.pack(_PLACE, len(payload)), payload), _FRAME.size + len(payload))
            number = self._numbers[key] = len(self._places)
            self._places.append(place)
        return number

    def _write(self, parts: tuple[bytes, ...], wanted: int) -> None:
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
                places.append(_place(places, payload))
            elif kind == _RECORD:
                yield _record(places, payload)
            elif kind == _DROPPED:
                number, count = _DROPPED_HEAD.unpack(payload)
                yield Dropped(places[number], count)
    except (ValueError, IndexError, TypeError, struct.error) as error:
        raise Torn(path.name) from error


def _frames(path: Path) -> Iterator[tuple[int, bytes]]:
    """Kind and payload of each frame that is whole."""
    data, start = path.read_bytes(), 0
    while start + _FRAME.size <= len(data):
        kind, length = _FRAME.unpack_from(data, start)
        start += _FRAME.size
        if start + length > len(data):
            return
        yield kind, data[start : start + length]
        start += length


def _place(known: list[Place], payload: bytes) -> Place:
    """One that is the same as another before it, from routes that were published again, is that very one."""
    account, region, endpoint, variant, group, capture = json.loads(payload)
    place = Place(account, region, endpoint, variant, group, Capture.parse(capture))
    return next((each for each in known if each == place), place)


def _record(places: list[Place], payload: bytes) -> Record:
    number, seconds, *sizes = _RECORD_HEAD.unpack_from(payload)
    text, input_, output = sizes
    start = _RECORD_HEAD.size
    event, inference, custom, input_type, output_type = payload[start : start + text].decode().split(_BETWEEN)
    start += text
    bodies = payload[start : start + input_], payload[start + input_ : start + input_ + output]
    return Record(places[number], seconds, Exchange(event, inference, custom, input_type, output_type, *bodies))


def _joined(exchange: Exchange) -> str:
    """What a client or a model has said of itself may hold anything; it must not look like what stands between."""
    event, inference, custom, input_type, output_type, _, _ = exchange
    texts = (event, inference, custom, input_type, output_type)
    joined = _BETWEEN.join(texts)
    if joined.count(_BETWEEN) != len(texts) - 1:
        joined = _BETWEEN.join(text.replace(_BETWEEN, "") for text in texts)
    return joined


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
