"""Programs that work for a run: they end with control, and as soon as the run is not wanted any more."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from clary.workload.errors import Cancelled, WorkloadError

_LOOK_SECONDS = 0.2
_BLOCK = 65_536
_LONGEST = 10_000
"""Bytes of a line; longer ones are cut into several."""


def run(
    command: Sequence[str],
    env: Mapping[str, str],
    cwd: Path,
    on_line: Callable[[str], None],
    ended: Callable[[], bool],
    seconds: float,
) -> int:
    """Its exit code; `on_line` hears what it prints, on both of its streams.

    Raises Cancelled as soon as `ended`, WorkloadError where it has not ended after `seconds`.
    """
    tied = (sys.executable, "-I", "-m", "clary.hooks.tied")  # -I: the folder is not ours
    deadline = time.monotonic() + seconds
    with subprocess.Popen(
        [*tied, *command], cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            for line in _lines(process.stdout, ended, deadline):
                on_line(line)
            return process.wait(max(0.0, deadline - time.monotonic()))
        except (TimeoutError, subprocess.TimeoutExpired):
            raise WorkloadError(f"{command[0]} had not ended after {seconds:.0f} seconds.") from None
        finally:
            process.kill()


def _lines(output: IO[bytes] | None, ended: Callable[[], bool], deadline: float) -> Iterator[str]:
    """Until it prints no more. Raises Cancelled, TimeoutError."""
    rest = b""
    for data in _pieces(output, ended, deadline):
        *lines, rest = (rest + data).split(b"\n")
        if len(rest) > _LONGEST:
            lines, rest = [*lines, rest], b""
        yield from (text for line in lines if (text := _text(line)))
    if text := _text(rest):
        yield text


def _pieces(output: IO[bytes] | None, ended: Callable[[], bool], deadline: float) -> Iterator[bytes]:
    if output is None:
        return
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while True:
            if ended():
                raise Cancelled
            if time.monotonic() > deadline:
                raise TimeoutError
            if selector.select(_LOOK_SECONDS):
                data = os.read(output.fileno(), _BLOCK)
                if not data:
                    return
                yield data


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip()
