"""What comes into a group's streams while somebody looks on: by the sizes of their files, without a database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from clary.telemetry.logfile import Event, LogReader

_EVENTS, _BYTES = 5_000, 4 * 2**20
"""Most that is read of one stream at a time; what a program prints beyond that is passed over."""


class Fresh(NamedTuple):
    """What has come into one stream."""

    file: str
    """The name of its file within the group's folder."""
    events: list[Event]
    whole: bool
    """Whether nothing was passed over."""


class _Mark(NamedTuple):
    inode: int
    size: int
    end: int
    """Where reading goes on."""
    newest: int
    """When the newest event was received: what is older was seen, should the file be written anew."""


class GroupTail:
    """Of one group's folder. What stands there when it is made is passed over."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._marks = {name: self._passed(name, stat) for name, stat in self._files()}

    def fresh(self) -> Iterator[Fresh]:
        """What has come since the last time, stream by stream."""
        for name, stat in self._files():
            mark = self._marks.get(name)
            if mark is None or (mark.inode, mark.size) != (stat.st_ino, stat.st_size):
                yield self._read(name, stat, mark or _Mark(stat.st_ino, 0, 0, 0))

    def _read(self, name: str, stat: os.stat_result, mark: _Mark) -> Fresh:
        reader = LogReader(self._folder / name)
        goes_on = stat.st_ino == mark.inode and stat.st_size >= mark.size
        emptied = stat.st_ino == mark.inode and not goes_on
        events = reader.piece(mark.end if goes_on else 0, _EVENTS, _BYTES)
        seen = [event for event in events if goes_on or emptied or event.ingested > mark.newest]
        whole = len(events) < _EVENTS and (not events or events[-1].end - events[0].position < _BYTES)
        end = events[-1].end if events and whole else mark.end if whole and goes_on else reader.end()
        newest = max((event.ingested for event in seen), default=mark.newest)
        self._marks[name] = _Mark(stat.st_ino, stat.st_size, end, newest)
        return Fresh(name, seen, whole)

    def _passed(self, name: str, stat: os.stat_result) -> _Mark:
        reader = LogReader(self._folder / name)
        last = reader.last()
        return _Mark(stat.st_ino, stat.st_size, reader.end(), last.ingested if last else 0)

    def _files(self) -> Iterator[tuple[str, os.stat_result]]:
        """Of all streams; one that goes meanwhile is left out."""
        try:
            entries = list(os.scandir(self._folder))
        except FileNotFoundError:
            return
        for entry in entries:
            if entry.name.endswith(".log"):
                try:
                    yield entry.name, entry.stat()
                except FileNotFoundError:
                    continue
