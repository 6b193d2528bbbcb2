"""A container's log, from the engine's pieces to Clary's file: every line once, whatever was killed meanwhile.

`log.json` says how many of the engine's pieces our file holds, their sum, and how long it was then. It may be
behind, never ahead: who begins anew cuts the file to that length and reads on from that piece.
"""

# ruff: noqa: PTH116
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import os
import threading
import time
import zlib
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Protocol, Sequence, Tuple

from clary.compute import record
from clary.telemetry.logfile import EVENT_BYTES, LogWriter

POSITION = "log.json"

_SECONDS = 0.5


class Source(Protocol):
    """What a container prints, from the beginning, as its engine keeps it."""

    def pieces(self) -> Iterator[List[Tuple[int, bytes]]]:
        """(1 or 2, bytes): standard output or error. Raises OSError where the engine goes away."""
        ...


class Pulse:
    """When somebody who looks now and then looks next: at once, where somebody waits for it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._asked = 0
        self._seen = 0
        self._done = 0

    def rest(self, seconds: float) -> None:
        """All was seen that there was when this returned last."""
        with self._changed:
            self._done = self._seen
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._asked > self._seen, seconds)
            self._seen = self._asked

    def catch_up(self, seconds: float) -> None:
        """Returns when a look that begins after this call is over, or after so long."""
        with self._changed:
            self._asked += 1
            mine = self._asked
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._done >= mine, seconds)


class EngineLog:
    """The log of the container in `folder`, to the file `path`."""

    def __init__(self, folder: str, path: str) -> None:
        self._folder = folder
        self._path = path
        known = record.read(folder, POSITION)
        if known is None:
            known = {"pieces": 0, "bytes": _size(path), "crc": 0, "start": _size(path)}
            record.write(folder, POSITION, known, durable=False)
        elif _size(path) > known["bytes"]:
            os.truncate(path, known["bytes"])
        self._writer = LogWriter(Path(path))
        self._taken = int(known["pieces"])
        self._crc = int(known["crc"])
        self._start = int(known["start"])
        self._rests: Dict[int, bytes] = {}
        self._line_is_open = False
        self._noted = time.monotonic()
        self._turn = threading.RLock()
        self._has_ours = False
        self._pulse = Pulse()

    def say(self, line: bytes) -> None:
        """A line of ours, whatever the program has left unfinished. May be called from any thread."""
        with self._turn:
            self._has_ours = True
            self._feed(line if not self._line_is_open else b"\n" + line)

    def catch_up(self, seconds: float) -> None:
        """Returns when all that the engine has by now is in the file, or after so long. May be called from any
        thread."""
        self._pulse.catch_up(seconds)

    def pause(self, seconds: float) -> None:
        """For sources that look now and then: all was taken; returns when it is time to look again."""
        self._pulse.rest(seconds)

    def take(self, source: Source) -> None:
        """All that the source has and we have not. Raises OSError where the engine goes away."""
        to_skip = self._taken
        for pieces in source.pieces():
            fresh = pieces[to_skip:]
            to_skip = max(0, to_skip - len(pieces))
            if fresh:
                self._keep(fresh)

    def mend(self, again: Callable[[], Source]) -> None:
        """Podman's API may drop pieces of what came last: where what was taken is not what the engine has, all is
        taken anew, but for a log that has lines of ours. Raises OSError where the engine goes away."""
        crc, left = 0, self._taken
        for pieces in again().pieces():
            crc = _sum(crc, pieces[:left])
            left = max(0, left - len(pieces))
        if (crc != self._crc or left) and not self._has_ours:
            self._writer.close()
            os.truncate(self._path, self._start)
            self._writer = LogWriter(Path(self._path))
            self._taken, self._crc, self._rests, self._line_is_open = 0, 0, {}, False
            self._note()
        self.take(again())

    def _keep(self, pieces: List[Tuple[int, bytes]]) -> None:
        with self._turn:
            self._add(pieces)

    def _add(self, pieces: List[Tuple[int, bytes]]) -> None:
        lines: List[bytes] = []
        for number, data in pieces:
            whole, newline, rest = (self._rests.get(number, b"") + data).rpartition(b"\n")
            lines += [whole, newline]
            if len(rest) > EVENT_BYTES:
                lines.append(rest)
                rest = b""
            self._rests[number] = rest
        self._taken += len(pieces)
        self._crc = _sum(self._crc, pieces)
        self._feed(b"".join(lines))
        if not self._line_is_open and not any(self._rests.values()) and time.monotonic() - self._noted > _SECONDS:
            self._note()

    def _feed(self, data: bytes) -> None:
        if data:
            self._line_is_open = not data.endswith(b"\n")
            with contextlib.suppress(OSError):  # a full disk costs lines, not the container
                self._writer.feed(data)

    def _note(self) -> None:
        self._noted = time.monotonic()
        with contextlib.suppress(OSError):  # behind is good enough
            known = {"pieces": self._taken, "bytes": _size(self._path), "crc": self._crc, "start": self._start}
            record.write(self._folder, POSITION, known, durable=False)

    def close(self) -> None:
        """What has no end of a line ends here; all of it is on the disk."""
        self._feed(b"\n".join(rest for rest in self._rests.values() if rest))
        self._rests = {}
        with contextlib.suppress(OSError):
            self._writer.close()


def _sum(crc: int, pieces: Sequence[Tuple[int, bytes]]) -> int:
    for _, data in pieces:
        crc = zlib.crc32(data, crc)
    return crc


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
