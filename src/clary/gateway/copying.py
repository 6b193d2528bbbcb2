"""Files on their way into a socket, copied by the kernel (sendfile(2)): no byte of them comes into this process."""

from __future__ import annotations

import asyncio
import os
import select
import threading
from collections.abc import Iterable

from clary.wire.http import Segment

LEAST = 2**20
"""Bytes from which on that is worth its hops to a thread."""

_BURST = 16 * 2**20
"""Bytes after which a thread is for the next body."""

_PATIENCE = 5
"""Milliseconds that a thread waits for a client that reads fast; for a slow one the event loop waits."""


class Copy:
    """Segments, one after another. Its methods are for threads; it may be closed while one still copies."""

    def __init__(self, segments: Iterable[Segment]) -> None:
        self._busy = threading.Lock()
        self._segments = iter(segments)
        self._file = -1
        self._offset = self._left = 0
        self.done = self._closed = False

    def open(self) -> None:
        """The first file. Raises OSError where it is gone."""
        with self._busy:
            self._next_segment()

    def burst(self, socket: int) -> None:
        """Copies until all is `done`, the socket is full for longer than a moment, or others should have their turn.

        Raises ConnectionError where the client has gone, and OSError where a file is gone or shorter than it was.
        """
        with self._busy:
            burst = _BURST
            while burst > 0 and not (self.done or self._closed):
                count = self._copy(socket, burst)
                if count is None:
                    return
                burst -= count

    def close(self) -> None:
        """Nothing is copied after this."""
        self._closed = True
        with self._busy:
            self._close_file()

    def _copy(self, socket: int, most: int) -> int | None:
        """How many bytes; None where the socket stays full."""
        try:
            count = os.sendfile(socket, self._file, self._offset, min(most, self._left))
        except BlockingIOError:
            return 0 if _writable(socket) else None
        if not count:
            raise OSError("a file of the body is shorter than it was")
        self._offset += count
        self._left -= count
        if not self._left:
            self._next_segment()
        return count

    def _next_segment(self) -> None:
        self._close_file()
        segment = None if self._closed else next(self._segments, None)
        if segment is None:
            self.done = True
            return
        path, self._offset, self._left = segment
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _writable(socket: int) -> bool:
    poll = select.poll()
    poll.register(socket, select.POLLOUT)
    return bool(poll.poll(_PATIENCE))


async def writable(socket: int) -> None:
    """Returns when more may be written to it, or its client has gone."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_writer(socket, _tell, ready)
    try:
        await ready
    finally:
        loop.remove_writer(socket)


def _tell(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
