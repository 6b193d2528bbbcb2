"""Data capture at the edge: what is captured is appended to a file of the spool before its answer leaves.

A record costs its copy into the kernel's memory, some microseconds; what it will look like as JSON is control's
business. Where the spool is full, or the disk nearly is, requests go on and are not captured; how many were not is said
in the endpoint's log (AWS: "Data Capture stops capturing requests at high levels of disk usage",
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html).
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from clary.serving.capture import Capture
from clary.serving.spool import Exchange, Place, SegmentWriter

SEGMENT_SECONDS = 5.0
"""How long a person waits for the first record at most, and how often there is an object at least."""

SEGMENT_BYTES = 8 * 2**20
"""A larger file is closed before its time; control holds one of them in memory."""

SPOOL_BYTES = 256 * 2**20
"""So much may wait for control: at a thousand small requests a second, that of ten minutes without it."""

FREE_BYTES = 512 * 2**20
"""Captured is nothing where the disk has less left: rows and objects need it more."""

_LOOK_SECONDS = 0.5

_log = logging.getLogger(__name__)


class Recorder:
    """One edge's way into the spool in `folder`. Belongs to one event loop."""

    def __init__(self, folder: Path, draw: Callable[[], float] = random.random) -> None:
        """`draw` gives numbers from 0 to 1, which decide who is captured."""
        self._folder = folder
        self._draw = draw
        self._segment: SegmentWriter | None = None
        self._dropped: Counter[Place] = Counter()
        self._full_until = 0.0

    def draws(self, capture: Capture) -> bool:
        """Whether one more request is to be captured."""
        return self._draw() * 100 < capture.percentage

    def note(self, place: Place, exchange: Exchange) -> None:
        """Append one record: it is an object's sooner or later, whatever becomes of this edge. Raises nothing."""
        try:
            segment = self._segment or self._open()
            segment.add(place, time.time(), exchange)
        except OSError as error:
            self._drop(place, error)
        else:
            if segment.size >= SEGMENT_BYTES:
                self._close()

    async def watch(self) -> None:
        """Close files whose time has come; runs as long as the edge."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self._tell_dropped()
            if self._segment is not None and time.monotonic() - self._segment.began >= SEGMENT_SECONDS:
                self._close()

    def close(self) -> None:
        """The edge ends: control takes up what is there."""
        self._tell_dropped()
        self._close()

    def _open(self) -> SegmentWriter:
        """Raises OSError where there is no room."""
        if time.monotonic() < self._full_until:
            raise NoRoom
        if not _has_room(self._folder):
            self._full_until = time.monotonic() + _LOOK_SECONDS
            raise NoRoom
        self._segment = SegmentWriter(self._folder)
        return self._segment

    def _close(self) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            try:
                segment.close()
            except OSError as error:
                _log.warning("a file of captured requests was not closed: %s", error)

    def _drop(self, place: Place, error: OSError) -> None:
        if not self._dropped:
            _log.warning("requests are not captured: %s", error)
        self._dropped[place] += 1

    def _tell_dropped(self) -> None:
        """Into the spool, as soon as it takes something again."""
        if not self._dropped:
            return
        try:
            segment = self._segment or self._open()
            for place in list(self._dropped):
                segment.add_dropped(place, self._dropped[place])
                del self._dropped[place]
        except OSError:
            return


class NoRoom(OSError):
    """The spool is full, or the disk nearly is."""

    def __init__(self) -> None:
        super().__init__("the spool is full, or the disk nearly is")


def _has_room(folder: Path) -> bool:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    disk = os.statvfs(folder)
    waiting = sum(_size(entry) for entry in os.scandir(folder))
    return disk.f_bavail * disk.f_frsize > FREE_BYTES and waiting < SPOOL_BYTES


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except FileNotFoundError:  # control has taken it away
        return 0
