"""A container's records: what its shim says of it at its beginning and at its end."""

# ruff: noqa: PTH123
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import os
import signal
import time
from typing import Any, Dict, NamedTuple, Optional, Tuple

from clary.compute import record
from clary.launcher.shares import Share

CANNOT_BEGIN = 126


class Ending(NamedTuple):
    """How it ended. PID 1 tells the program's wait status, or nothing where it was killed or never came to begin."""

    status: Optional[int]
    failed: str
    """Why it could not begin."""
    ended_for: str
    """Why the shim ended it."""
    out_of_memory: bool


def handle(container_id: str, since: float, share: Share) -> Dict[str, Any]:
    """Who holds the container, this process, and what of the machine it has."""
    return {
        "protocol": record.PROTOCOL,
        "id": container_id,
        "pid": os.getpid(),
        "start": _start_ticks(),
        "boot": _boot_id(),
        "since": since,
        **share._asdict(),
    }


def exit_record(ending: Ending, since: float) -> Dict[str, Any]:
    """As compute.record says."""
    code, by = _shell_code(ending)
    return {
        "protocol": record.PROTOCOL,
        "code": code,
        "signal": by,
        "oom": ending.out_of_memory,
        "reason": ending.failed or ending.ended_for,
        "at": time.time(),
        "since": since,
    }


def _shell_code(ending: Ending) -> Tuple[int, Optional[int]]:
    if ending.status is None:
        return (CANNOT_BEGIN, None) if ending.failed else (128 + signal.SIGKILL, int(signal.SIGKILL))
    return shell_code(ending.status)


def shell_code(status: int) -> Tuple[int, Optional[int]]:
    """Exit code and signal of a wait status, as a shell tells them."""
    if os.WIFSIGNALED(status):
        return 128 + os.WTERMSIG(status), os.WTERMSIG(status)
    return os.WEXITSTATUS(status), None


def _start_ticks() -> int:
    with open("/proc/self/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[19])


def _boot_id() -> str:
    with open("/proc/sys/kernel/random/boot_id", "rb") as file:
        return file.read().decode().strip()
