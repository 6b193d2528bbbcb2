"""Connections on their way from one process to another: a descriptor (SCM_RIGHTS, unix(7)) with what was read of it and
belongs to its next request."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

MOST_BYTES = 64 * 2**10
"""That were read of a connection which is passed: within what the kernel takes for one message."""

_HANDED, _LEFT = b"h", b"l"


@dataclass(frozen=True)
class Handed:
    """A connection, and the first bytes of its next request."""

    connection: socket.socket
    data: bytes


@dataclass(frozen=True)
class Lost:
    """A connection for which this process had no descriptor: the kernel has let go of it."""


@dataclass(frozen=True)
class Left:
    """So many clients have gone since the last word."""

    count: int


class Channel:
    """One end. Nothing here ever waits."""

    def __init__(self, connected: socket.socket) -> None:
        """`connected`: one of a pair that keeps messages apart (SOCK_SEQPACKET)."""
        self._socket = connected
        self._socket.setblocking(False)
        self._untold = 0
        self.open = True
        """Whether there may be more to hear."""

    def fileno(self) -> int:
        """For the event loop; readable where `take` has something, or the other end is gone."""
        return self._socket.fileno()

    def hand(self, descriptor: int, data: bytes) -> bool:
        """Pass a connection on; its descriptor is the caller's to close. False where the other end is gone or slow:
        nothing was passed then."""
        if len(data) > MOST_BYTES:
            return False
        try:
            socket.send_fds(self._socket, [_HANDED, data], [descriptor])
        except OSError:
            return False
        return True

    def left(self) -> None:
        """One of those that were handed over has gone; said at the next occasion where the other end is slow."""
        self._untold += 1
        with suppress(OSError):
            self._socket.send(_LEFT + str(self._untold).encode())
            self._untold = 0

    def take(self) -> Iterator[Handed | Lost | Left]:
        """What has come since."""
        while self.open:
            try:
                message, descriptors, _, _ = socket.recv_fds(self._socket, 1 + MOST_BYTES, 1)
            except BlockingIOError:
                return
            except OSError:
                message, descriptors = b"", []
            self.open = bool(message)
            if message.startswith(_LEFT):
                yield Left(int(message[1:]))
            elif descriptors:
                yield Handed(socket.socket(fileno=descriptors[0]), message[1:])
            elif message:
                yield Lost()

    def close(self) -> None:
        """Let go; the other end sees it."""
        self.open = False
        self._socket.close()
