"""Events that arrive with times of their own (PutLogEvents), put where they belong in a stream's file, and events that
have become too old, taken away. Each change of a file waits for the one before."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from clary.durable import making, sync_folder
from clary.telemetry.logfile import BLOCK, LogReader, cut_unfinished, write_all

Check = Callable[[], object]
"""Whether the stream is there still, at a time at which nobody can remove its file: what it raises stops the change."""

_LOCKS = tuple(threading.Lock() for _ in range(64))
"""One change at a time per file."""


def _nothing() -> None:
    pass


def _lock(path: Path) -> threading.Lock:
    return _LOCKS[hash(path) % len(_LOCKS)]


def _record(timestamp: int, ingested: int, message: str) -> bytes:
    head = b"%d" % timestamp if timestamp == ingested else b"%d,%d" % (timestamp, ingested)
    *before, last = message.encode("utf-8", "replace").split(b"\n")
    return b"".join([head + b" P " + line + b"\n" for line in before]) + head + b" F " + last + b"\n"


def append(path: Path, events: Iterable[tuple[int, str]], now_ms: int, check: Check = _nothing) -> None:
    """Put events at the end of a file that a `LogWriter` may be writing, none earlier than what stands there. Raises
    what `check` does."""
    with _lock(path):
        check()
        last = LogReader(path).last()
        earliest = last.timestamp if last else 0
        fresh = sorted(((max(earliest, when), text) for when, text in events), key=lambda event: event[0])
        _append(path, b"".join([_record(when, now_ms, text) for when, text in fresh]), alone=False)


def insert(path: Path, events: Iterable[tuple[int, str]], now_ms: int, check: Check = _nothing) -> None:
    """Put events (time in milliseconds, message) where their times belong; no `LogWriter` may be writing.

    Events older than the stream's newest are rare: then what follows them is written anew and their file replaced, and
    positions behind them move. Raises what `check` does.
    """
    fresh = sorted(events, key=lambda event: event[0])
    if fresh:
        with _lock(path):
            check()
            _insert(path, fresh, now_ms)


def begin(path: Path, is_there: Callable[[], bool], make: Callable[[], None]) -> None:
    """Make a stream's row. What an earlier one of its name has left goes first: who deleted that one died before its
    file was gone, or somebody still wrote to it."""
    with _lock(path):
        if not is_there():
            _remove(path)
        make()


def end(path: Path, is_there: Callable[[], bool]) -> None:
    """Remove the file of a stream whose row has been deleted, unless there is a new one of its name by now."""
    with _lock(path):
        if not is_there():
            _remove(path)


def expire(path: Path, before_ms: int) -> None:
    """Take events away that are older; no `LogWriter` may be writing. Positions of the others move."""
    with _lock(path):
        reader = LogReader(path)
        first = reader.first()
        if first is not None and first.timestamp < before_ms:
            _cut_before(path, reader.seek(before_ms))


def empty(path: Path, before_ms: int) -> None:
    """Take all events away where all are older; a `LogWriter` goes on at the beginning."""
    with _lock(path):
        last = LogReader(path).last()
        if last is not None and last.timestamp < before_ms:
            os.truncate(path, 0)


def _remove(path: Path) -> None:
    """With what a killed writer may have left of a change."""
    for each in (path, _fresh(path)):
        each.unlink(missing_ok=True)


def _fresh(path: Path) -> Path:
    """What becomes the file when it is whole."""
    return path.with_suffix(".new")


def _cut_before(path: Path, position: int) -> None:
    fresh = _fresh(path)
    with path.open("rb") as old, making(fresh) as new:
        old.seek(position)
        while block := old.read(BLOCK):
            new.write(block)
    fresh.replace(path)
    sync_folder(path.parent)


def _insert(path: Path, fresh: list[tuple[int, str]], now_ms: int) -> None:
    reader = LogReader(path)
    last = reader.last()
    if last is None or last.timestamp <= fresh[0][0]:
        if path.exists():
            with path.open("r+b") as file:
                cut_unfinished(file.fileno())
        _append(path, b"".join([_record(when, now_ms, text) for when, text in fresh]), alone=True)
        return
    kept = reader.seek(fresh[0][0] + 1)
    later = [(event.timestamp, event.ingested, event.message) for event in reader.forward(kept)]
    merged = sorted(later + [(when, now_ms, text) for when, text in fresh], key=lambda event: event[0])
    _replace_from(path, kept, b"".join([_record(*event) for event in merged]))


def _append(path: Path, data: bytes, *, alone: bool) -> None:
    """All of it or, where nobody else writes to the file, nothing. Raises OSError."""
    made = not path.exists()
    descriptor = _opened(path)
    try:
        end = os.fstat(descriptor).st_size
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
        except OSError:
            if alone:
                os.ftruncate(descriptor, end)
            raise
    finally:
        os.close(descriptor)
    if made:
        sync_folder(path.parent)


def _opened(path: Path) -> int:
    """To write at its end. Whoever deletes the group's last stream removes its folder: it is made until it is there."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            return os.open(str(path), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def _replace_from(path: Path, kept: int, data: bytes) -> None:
    fresh = _fresh(path)
    with path.open("rb") as old, making(fresh) as new:
        while kept:
            block = old.read(min(kept, BLOCK))
            new.write(block)
            kept -= len(block)
        new.write(data)
    fresh.replace(path)
    sync_folder(path.parent)
