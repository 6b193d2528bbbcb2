"""Between whoever invokes a function from an image and its runtime: frames on the one side (`toolkit.function.frames`),
on the other a runtime that asks for one invocation after the other.

Of all threads that ask, the last one is given the next invocation: the connections of the others are forgotten ones.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from typing import Callable, NamedTuple, Optional

from clary.launcher.scribe import Scribe
from clary.toolkit.function import frames

MOST = 6_291_556
"""Bytes of an answer: six megabytes and what AWS adds to them."""

_PIECE = 262_144
_TELL_SECONDS = 5.0


class Busy(Exception):
    """The runtime asks for the next invocation before it has answered this one."""


class Invocation(NamedTuple):
    """One, as it was handed in."""

    head: frames.Head
    event: bytes


class Invocations:
    """Those of one execution environment. Safe in threads. `end` ends the container."""

    def __init__(self, scribe: Scribe, end: Callable[[], None]) -> None:
        self._scribe = scribe
        self._end = end
        self._changed = threading.Condition()
        self._line: Optional[socket.socket] = None
        self._waiting: Optional[Invocation] = None
        self._current: Optional[Invocation] = None
        self._began = time.monotonic()
        self._init_milliseconds = 0.0
        self._taken = 0.0
        self._turn = 0
        self._prepared = False
        self._broken: Optional[bytes] = None
        self._closed = False

    @property
    def is_connected(self) -> bool:
        """Whether somebody has come."""
        return self._line is not None

    # whoever invokes

    def connect(self) -> Optional[socket.socket]:
        """The line to it; for the first who asks."""
        with self._changed:
            if self._line is not None or self._closed:
                return None
            self._line, theirs = socket.socketpair()
            if self._prepared:
                self._send({"ready": True})
        threading.Thread(target=self._listen, args=(self._line,), daemon=True).start()
        return theirs

    def _listen(self, line: socket.socket) -> None:
        buffer = bytearray()
        with contextlib.suppress(OSError, frames.BadFrame):
            while True:
                frame = frames.unpack(buffer)
                if frame is not None:
                    self._hand_in(Invocation(*frame))
                    continue
                piece = line.recv(_PIECE)
                if not piece:
                    break
                buffer += piece
        self._end()

    def _hand_in(self, invocation: Invocation) -> None:
        self._scribe.start(invocation.head["id"])
        with self._changed:
            self._taken = time.monotonic()
            if self._broken is None:
                self._waiting = invocation
            else:
                self._current = invocation
                self._answer(self._broken, is_error=True)
            self._changed.notify_all()

    def close(self) -> None:
        """The container has ended. Why its runtime could not begin is said before."""
        with self._changed:
            if self._broken is not None:
                self._changed.wait_for(lambda: self._taken > 0, _TELL_SECONDS)
            self._closed = True
            self._changed.notify_all()
        self._scribe.close()
        if self._line is not None:
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    # the runtime

    def next(self) -> Optional[Invocation]:
        """The next one, when there is one; None where another thread asks, or the container has ended. Raises Busy."""
        with self._changed:
            if self._current is not None:
                raise Busy
            self._prepare()
            self._turn += 1
            mine = self._turn
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting is not None or self._turn != mine or self._closed)
            if self._turn != mine or self._closed:
                return None
            self._current, self._waiting = self._waiting, None
            self._taken = time.monotonic()
            return self._current

    def answered(self, request: str, payload: bytes, *, is_error: bool) -> bool:
        """What came of an invocation; False where that is not the one under way."""
        with self._changed:
            if self._current is None or self._current.head["id"] != request:
                return False
            self._answer(payload, is_error=is_error)
            return True

    def answered_too_much(self, request: str) -> None:
        """More than MOST."""
        text = f"Response payload size exceeded maximum allowed payload size ({MOST} bytes)."
        said = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": text}
        self.answered(request, json.dumps(said).encode(), is_error=True)

    def failed(self, payload: bytes) -> None:
        """The runtime could not begin: every invocation is answered so."""
        with self._changed:
            self._broken = payload
            self._prepare()

    def _prepare(self) -> None:
        if not self._prepared:
            self._prepared = True
            self._init_milliseconds = (time.monotonic() - self._began) * 1000
            if self._line is not None:
                self._send({"ready": True})

    def _answer(self, payload: bytes, *, is_error: bool) -> None:
        assert self._current is not None  # noqa: S101  whoever calls has seen it
        request, self._current = self._current.head["id"], None
        self._send({"id": request, "error": is_error}, payload)
        self._scribe.report(request, (time.monotonic() - self._taken) * 1000, self._init_milliseconds)
        self._init_milliseconds = 0.0

    def _send(self, head: frames.Head, payload: bytes = b"") -> None:
        if self._line is not None:
            with contextlib.suppress(OSError):  # whoever invoked has gone: the container ends
                self._line.sendall(frames.pack({**head, "memory": self._scribe.used}, payload))
