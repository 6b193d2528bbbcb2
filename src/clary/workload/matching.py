"""Where users' expressions are matched: children with a time limit, which stay for the next question.

An expression may take for ever on one line, and cannot be interrupted; a Python that starts costs more than most logs
take. A child that was too slow is killed, one that nobody asks for a while ends by itself.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import IO, Any

MOST_IDLE = 2
"""Of about 15 MB each."""

_PIECE = 65_536


class TooSlow(Exception):
    """The expressions gave no result in time."""


class _Ended(Exception):
    """The child has ended before it answered."""


class _Child:
    """Answers one question after the other, a line of JSON each."""

    def __init__(self) -> None:
        command = [sys.executable, "-I", "-m", "clary.workload.metrics"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )

    def ask(self, question: bytes, seconds: float) -> bytes:
        """Raises TooSlow, _Ended."""
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101  both are pipes
        try:
            self._process.stdin.write(question)
        except BrokenPipeError:
            raise _Ended from None
        deadline, answer = time.monotonic() + seconds, b""
        while not answer.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not _readable(self._process.stdout, left):
                raise TooSlow(f"no result within {seconds:.0f} seconds")
            piece = self._process.stdout.read(_PIECE)
            if not piece:
                raise _Ended
            answer += piece
        return answer

    def end(self) -> None:
        """At once."""
        self._process.kill()
        self._process.communicate()


def _readable(stream: IO[bytes], seconds: float) -> bool:
    """`select` knows no descriptor beyond 1,023, and this process may have many more open."""
    poll = select.poll()
    poll.register(stream, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


class Matching:
    """Finds a child for each question. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Child] = []

    def ask(self, question: Mapping[str, Any], seconds: float) -> Any:  # noqa: ANN401  what the question asks for
        """The answer of `clary.workload.metrics`. Raises TooSlow."""
        line = json.dumps(question).encode() + b"\n"
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            try:
                return self._answer(kept, line, seconds)
            except _Ended:  # it had waited for too long
                pass
        try:
            return self._answer(_Child(), line, seconds)
        except _Ended:
            raise TooSlow("the child has ended without a result") from None

    def _answer(self, child: _Child, line: bytes, seconds: float) -> Any:  # noqa: ANN401
        try:
            answer = json.loads(child.ask(line, seconds))
        except (TooSlow, _Ended, ValueError):
            child.end()
            raise
        self._keep(child)
        return answer

    def _keep(self, child: _Child) -> None:
        with self._lock:
            if len(self._idle) < MOST_IDLE:
                self._idle.append(child)
                return
        child.end()


MATCHING = Matching()
"""Of this process."""
