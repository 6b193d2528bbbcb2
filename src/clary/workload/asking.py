"""Children that answer questions, a line of JSON each way: kept for the next question, killed where they are too slow.

What must not hold up control, or cannot be interrupted there, is asked of them: users' expressions, which may take for
ever on one line; proposals of a tuning, whose libraries control does without.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

MOST_IDLE = 2
"""Of about 15 MB each."""

IDLE_SECONDS = 60.0
"""One that does not compute is given so long beyond its time: others may have the processors, or it hangs."""

_PIECE = 65_536
_LOOK_SECONDS = 0.25
_TICKS = os.sysconf("SC_CLK_TCK")


class TooSlow(Exception):
    """There was no answer in time."""


class _Ended(Exception):
    """The child has ended before it answered."""


class _Child:
    """Answers one question after the other, a line of JSON each."""

    def __init__(self, module: str) -> None:
        command = [sys.executable, "-I", "-m", module]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )

    def ask(self, question: bytes, seconds: float) -> bytes:
        """`seconds` are a processor's. Raises TooSlow, _Ended."""
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101  both are pipes
        try:
            self._process.stdin.write(question)
        except BrokenPipeError:
            raise _Ended from None
        spent, deadline, answer = self._spent(), time.monotonic() + seconds + IDLE_SECONDS, b""
        while not answer.endswith(b"\n"):
            left = min(spent + seconds - self._spent(), deadline - time.monotonic())
            if left <= 0:
                raise TooSlow(f"no result within {seconds:.0f} seconds")
            if not _readable(self._process.stdout, min(left, _LOOK_SECONDS)):
                continue
            piece = self._process.stdout.read(_PIECE)
            if not piece:
                raise _Ended
            answer += piece
        return answer

    def _spent(self) -> float:
        """Seconds of processors that it has had; 0 where it has ended."""
        with suppress(FileNotFoundError, ProcessLookupError):
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / _TICKS
        return 0.0

    def end(self) -> None:
        """At once."""
        self._process.kill()
        self._process.communicate()


def _readable(stream: IO[bytes], seconds: float) -> bool:
    """`select` knows no descriptor beyond 1,023, and this process may have many more open."""
    poll = select.poll()
    poll.register(stream, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


class Asking:
    """Finds a child that runs `module` for each question. May be used from any thread."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._lock = threading.Lock()
        self._idle: list[_Child] = []

    def ask(self, question: Mapping[str, Any], seconds: float) -> Any:  # noqa: ANN401  what the question asks for
        """What the child answers, for which it may compute for so many seconds. Raises TooSlow."""
        line = json.dumps(question).encode() + b"\n"
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            try:
                return self._answer(kept, line, seconds)
            except _Ended:  # it had waited for too long
                pass
        try:
            return self._answer(_Child(self._module), line, seconds)
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
