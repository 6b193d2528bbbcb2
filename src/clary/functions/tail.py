"""An invocation's lines in its environment's log: read for `LogType=Tail`, written where the runtime no longer can."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

from clary.telemetry.logfile import LogReader, LogWriter

TAIL_BYTES = 4096
"""LogResult holds the last 4 KB."""

_PATIENCE = 10.0
"""Seconds until the last line has come through the container's log pipe; it takes a millisecond, and on a machine with
much else to do as long as its shim waits for a processor."""

_PAUSE = 0.001


@dataclass(frozen=True)
class Unfinished:
    """An invocation whose environment has ended without an answer."""

    request: str
    seconds: float
    memory: int
    """MB of the function's setting."""
    lines: tuple[str, ...]
    """What is to be said of it between its END and its REPORT."""
    status: str
    """`timeout` or `error`."""
    used: int
    """MB."""


def position(log: str) -> int:
    """Where the log ends now."""
    path = Path(log)
    return path.stat().st_size if path.exists() else 0


def tail(log: str, start: int, request: str) -> bytes:
    """What an invocation has logged since `start`, its end at most TAIL_BYTES. Waits for its REPORT."""
    end = time.monotonic() + _PATIENCE
    first, last = f"START RequestId: {request}", f"REPORT RequestId: {request}"
    while True:
        lines = [event.message for event in LogReader(Path(log)).forward(start)]
        if any(line.startswith(last) for line in lines) or time.monotonic() > end:
            break
        time.sleep(_PAUSE)
    begun = next((number for number, line in enumerate(lines) if line.startswith(first)), 0)
    return "".join(f"{line}\n" for line in lines[begun:]).encode()[-TAIL_BYTES:]


def finish(log: str, unfinished: Unfinished) -> None:
    """The lines that AWS writes of an invocation that was ended. Only where the container has ended."""
    milliseconds = unfinished.seconds * 1000
    request = unfinished.request
    report = (
        f"REPORT RequestId: {request}\tDuration: {milliseconds:.2f} ms\tBilled Duration: {math.ceil(milliseconds)} ms\t"
        f"Memory Size: {unfinished.memory} MB\tMax Memory Used: {unfinished.used} MB\tStatus: {unfinished.status}"
    )
    text = "\n".join([*unfinished.lines, f"END RequestId: {request}", report, ""])
    writer = LogWriter(Path(log))
    try:
        writer.feed(text.encode())
    finally:
        writer.close()
