"""A log stream as a file: one line per event, in the order of time, so that a person can read it with `cat`.

    1732159213123 F [0]#011train-rmse:9.61861
    1732159213130,1732159219000 P Traceback (most recent call last):
    1732159213130,1732159219000 F   File "train.py", line 3

The time of the event in milliseconds since 1970 and, after a comma where it differs, the time at which it was received;
then `F` (full), or `P` (partial) where the event goes on in the next line; then the text. An event's *position* is the
offset of its first byte: stable, because nothing is ever written before it.

Runs in shims and in the server: standard library only, Python 3.8 and later.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

EVENT_BYTES = 256 * 1024
"""Longest event (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html)."""

STREAM_BYTES = 2 * 2**30
"""Where a stream ends: a program that prints for ever must not fill the disk."""

BLOCK = 64 * 1024
"""Bytes read at once."""

_SPLIT_NOTICE = b"Clary: this log has reached its limit of %d bytes; what follows is dropped."


class Event(NamedTuple):
    """One event; times in milliseconds since 1970."""

    position: int
    """Offset of its first byte: its name within the stream."""
    end: int
    """Offset of what follows it: where reading goes on."""
    timestamp: int
    ingested: int
    """When it was received."""
    message: str


def milliseconds() -> int:
    """Now, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def _cut(line: bytes, start: int) -> int:
    """Where the event that begins at `start` must end, without splitting a UTF-8 character."""
    end = start + EVENT_BYTES
    for back in range(4):
        if line[end - back] & 0xC0 != 0x80:
            return end - back
    return end


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`, however often the system takes only a part."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def last_line_end(descriptor: int) -> int:
    """Offset at which the last whole line ends: what follows was cut off by a crash."""
    end = os.fstat(descriptor).st_size
    while end:
        start = max(0, end - BLOCK)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def cut_torn_end(descriptor: int) -> int:
    """Remove what a crash left of a line; the size that remains. A file without such an end is not touched: another may
    be adding to it."""
    size = os.fstat(descriptor).st_size
    end = last_line_end(descriptor)
    if end < size:
        os.ftruncate(descriptor, end)
    return end


def cut_unfinished(descriptor: int) -> None:
    """Remove what a crash left of an event of several lines too: the next event would be taken for its end."""
    end = cut_torn_end(descriptor)
    while end:
        start = _line_start(descriptor, end)
        if not _parse(os.pread(descriptor, end - 1 - start, start), start).partial:
            break
        end = start
    if end < os.fstat(descriptor).st_size:
        os.ftruncate(descriptor, end)


def _line_start(descriptor: int, end: int) -> int:
    """Where the line begins that ends at `end`."""
    stop = end - 1
    while stop:
        start = max(0, stop - BLOCK)
        found = os.pread(descriptor, stop - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        stop = start
    return 0


class LogWriter:
    """Makes events of what a program prints: a line is an event, at the time it came.

    One writer per file. Lines longer than an event may be are cut into several; empty ones are left out, as CloudWatch
    has no empty events. What is fed is readable at once, except the beginning of a line: that waits for its end.
    """

    def __init__(self, path: Path | str, limit_bytes: int = STREAM_BYTES) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120  fewer shared pages are written to
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = cut_torn_end(self._file)
        self._limit = limit_bytes
        self._rest = b""
        last = LogReader(Path(path)).last() if self._size else None
        self._now = last.timestamp if last else 0

    def feed(self, data: bytes, now_ms: int | None = None) -> None:
        """Take over what was printed, cut anywhere."""
        self._now = max(self._now, milliseconds() if now_ms is None else now_ms)  # the file is in the order of time
        pieces: list[bytes] = []
        lines = (self._rest + data).split(b"\n")
        self._rest = self._split(lines.pop(), pieces)
        for line in lines:
            last = self._split(line, pieces)
            if last:
                pieces.append(last)
        self._append(pieces)

    def close(self) -> None:
        """Write the last line, though it has no end, and bring everything to the disk."""
        if self._file < 0:
            return
        if self._rest:
            self._append([self._rest])
            self._rest = b""
        os.fsync(self._file)
        os.close(self._file)
        self._file = -1

    @staticmethod
    def _split(line: bytes, pieces: list[bytes]) -> bytes:
        """Add to `pieces` what is too long for one event; the rest of the line."""
        start = 0
        while len(line) - start > EVENT_BYTES:
            end = _cut(line, start)
            pieces.append(line[start:end])
            start = end
        return line[start:]

    def _append(self, pieces: list[bytes]) -> None:
        if not pieces or self._size >= self._limit:
            return
        head = b"%d F " % self._now
        data = b"".join([head + piece + b"\n" for piece in pieces])
        self._size += len(data)
        if self._size >= self._limit:
            data += head + _SPLIT_NOTICE % self._limit + b"\n"
        write_all(self._file, data)


class _Line(NamedTuple):
    start: int
    end: int
    timestamp: int
    ingested: int
    partial: bool
    text: bytes


def _parse(line: bytes, start: int) -> _Line:
    """`line` without its newline, which stood at `start`. What a power failure has damaged is shown as it is."""
    end = start + len(line) + 1
    try:
        head, kind, text = line.split(b" ", 2)
        timestamp, _, ingested = head.partition(b",")
        return _Line(start, end, int(timestamp), int(ingested or timestamp), kind == b"P", text)
    except ValueError:
        return _Line(start, end, 0, 0, False, line)


def _whole(line: bytes, start: int) -> Event | None:
    """The event of one whole line, as almost all are, in a third of the time; None for any other."""
    try:
        head, kind, text = line.split(b" ", 2)
        if kind != b"F":
            return None
        received = head.find(b",")
        if received < 0:
            timestamp = ingested = int(head)
        else:
            timestamp, ingested = int(head[:received]), int(head[received + 1 :])
    except ValueError:
        return None
    place = (start, start + len(line), timestamp, ingested, text[:-1].decode("utf-8", "replace"))
    return tuple.__new__(Event, place)


def _event(lines: list[_Line]) -> Event:
    first, last = lines[0], lines[-1]
    text = b"\n".join([line.text for line in lines]).decode("utf-8", "replace")
    return Event(first.start, last.end, first.timestamp, first.ingested, text)


class LogReader:
    """Reads a stream while it is written. A stream that is not there is empty. Holds nothing open between calls."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def forward(self, position: int = 0) -> Iterator[Event]:
        """Events from `position` on, oldest first, up to what is whole now. To go on later: the last event's `end`."""
        lines: list[_Line] = []
        start = self.boundary(position)
        for text in self._texts_from(start):
            whole = None if lines else _whole(text, start)
            if whole is not None:
                yield whole
            else:
                lines.append(_parse(text[:-1], start))
                if not lines[-1].partial:
                    yield _event(lines)
                    lines = []
            start += len(text)

    def piece(self, position: int, events: int, size: int) -> list[Event]:
        """The next events: at most so many, and no more once they take `size` bytes of the file."""
        taken: list[Event] = []
        for event in self.forward(position):
            taken.append(event)
            if len(taken) == events or event.end - position >= size:
                break
        return taken

    def backward(self, position: int | None = None) -> Iterator[Event]:
        """Events that end at or before `position` (the end of the stream where it is None), newest first."""
        lines: list[_Line] = []
        for line in self._lines_before(self.end() if position is None else self.boundary(position)):
            if lines and not line.partial:
                yield _event(lines)
                lines = []
            if lines or not line.partial:  # a partial line at the end is an event that is still being written
                lines.insert(0, line)
        if lines:
            yield _event(lines)

    def first(self) -> Event | None:
        """The oldest event."""
        return next(self.forward(), None)

    def last(self) -> Event | None:
        """The newest event."""
        return next(self.backward(), None)

    def end(self) -> int:
        """Where the last whole line ends."""
        try:
            with self._path.open("rb") as file:
                return last_line_end(file.fileno())
        except FileNotFoundError:
            return 0

    def boundary(self, position: int) -> int:
        """The first beginning of a line at or after `position`, and not after the end of the stream."""
        if position <= 0:
            return 0
        end = self.end()
        if position >= end:
            return end
        with self._path.open("rb") as file:
            file.seek(position - 1)
            file.readline()
            return min(file.tell(), end)

    def seek(self, timestamp: int) -> int:
        """The position of the first event at or after `timestamp` (milliseconds); the end where all are before."""
        low, high = 0, self.end()
        while low < high:
            middle = (low + high) // 2
            line = next(self._lines_from(self.boundary(middle)), None)
            if line is None or line.timestamp >= timestamp or line.start >= high:
                high = middle
            else:
                low = line.end
        return self.boundary(low)

    def _lines_from(self, position: int) -> Iterator[_Line]:
        for text in self._texts_from(position):
            yield _parse(text[:-1], position)
            position += len(text)

    def _texts_from(self, position: int) -> Iterator[bytes]:
        """Whole lines, each with its end."""
        try:
            file = self._path.open("rb", buffering=BLOCK)
        except FileNotFoundError:
            return
        with file:
            file.seek(position)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                yield line

    def _lines_before(self, position: int) -> Iterator[_Line]:
        try:
            file = self._path.open("rb", buffering=0)
        except FileNotFoundError:
            return
        with file:
            rest, end = b"", position
            while end:
                start = max(0, end - BLOCK)
                block = os.pread(file.fileno(), end - start, start) + rest
                cut = 0 if start == 0 else block.find(b"\n") + 1
                if cut == 0 and start:
                    rest, end = block, start
                    continue
                yield from _lines_of(block[cut:], start + cut)
                rest, end = block[:cut], start


def _lines_of(block: bytes, start: int) -> Iterator[_Line]:
    """Whole lines of `block`, the last first."""
    end = len(block)
    while end > 0:
        begin = block.rfind(b"\n", 0, end - 1) + 1
        yield _parse(block[begin : end - 1], start + begin)
        end = begin
