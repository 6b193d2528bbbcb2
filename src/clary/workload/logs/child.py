"""A child that does one piece of work and ends: it can be killed at any moment, and leaves a whole file or none."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from clary.workload.errors import Cancelled

MEMORY_BYTES = 3 * 2**30
"""Of address space: a query that groups by everything must not take the machine's memory."""

_PR_SET_PDEATHSIG = 1
"""A control that is killed cannot end its children: the kernel does (prctl(2))."""

_NICENESS = 10
_LOOK_SECONDS = 0.05


class TimedOut(Exception):
    """It was still at work when its time was over."""


def done(module: str, plan: Mapping[str, Any], seconds: float, ended: Callable[[], bool]) -> Any:  # noqa: ANN401
    """What the child has said: a JSON of its own. Raises TimedOut, Cancelled, RuntimeError with what it has said."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        _hand(process, json.dumps(plan).encode())
        _see_out(process, time.monotonic() + seconds, ended)
        said, errors = process.communicate()
    except BaseException:
        process.kill()
        process.communicate()
        raise
    if process.returncode:
        raise RuntimeError(errors.decode("utf-8", "replace")[-2000:] or f"it ended with {process.returncode}")
    return json.loads(said)


def _see_out(process: subprocess.Popen[bytes], deadline: float, ended: Callable[[], bool]) -> None:
    while process.poll() is None:
        if ended():
            raise Cancelled
        if time.monotonic() > deadline:
            raise TimedOut
        _wait(process)


def _hand(process: subprocess.Popen[bytes], plan: bytes) -> None:
    assert process.stdin is not None  # noqa: S101  it is a pipe
    try:
        process.stdin.write(plan)
        process.stdin.close()
    except BrokenPipeError:
        return
    process.stdin = None


def _wait(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_LOOK_SECONDS)
    except subprocess.TimeoutExpired:
        return


def carry_out(work: Callable[[Mapping[str, Any]], Any]) -> None:
    """In the child: read the plan, do it, say the result."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    sys.stdout.write(json.dumps(work(json.loads(sys.stdin.buffer.read()))))
