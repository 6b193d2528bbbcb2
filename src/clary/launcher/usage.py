"""What a container has used and what it holds, for whoever asks the process beside it."""

# ruff: noqa: PTH123, PTH208
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import os
import time
from typing import Iterable, Iterator, List, Optional, Sequence, Tuple

from clary.compute.launch import Launch
from clary.launcher import disk, memory, messages, process

_TICKS = os.sysconf("SC_CLK_TCK")
_COUNT_SECONDS = 2.0
"""For counting files; whoever asks waits for it."""


def told(launch: Launch, since: float, cpu_seconds: float, memory_bytes: int) -> messages.Message:
    """As it is sent; `since` is when the container began (epoch seconds)."""
    return {
        "seconds": time.time() - since,
        "cpu_seconds": cpu_seconds,
        "memory_bytes": memory_bytes,
        "disk_bytes": _written_bytes(launch),
    }


def of_sandbox(launch: Launch, since: float, init: int, in_memory: Sequence[int]) -> messages.Message:
    """Of the container whose first process is `init`; `in_memory` are its file systems in memory, its root first."""
    with _processes(init, in_memory) as (pids, proc):
        held = memory.held_bytes(pids, proc) + memory.in_files(in_memory)
        return told(launch, since, cpu_seconds(pids, proc), held)


def cpu_seconds(pids: Iterable[int], proc: str = "/proc") -> float:
    """Of these processes, as `proc` shows them, and of their children that have ended and were waited for."""
    return sum(_ticks(pid, proc) for pid in pids) / _TICKS


@contextlib.contextmanager
def _processes(init: int, in_memory: Sequence[int]) -> Iterator[Tuple[List[int], str]]:
    """All of a container, and where the kernel tells of them. The container's own /proc has no others; where that is
    not to be had, all of the machine's are looked through."""
    if not in_memory:
        yield [init, *process.descendants(init)], "/proc"
        return
    own = os.open("proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=in_memory[0])
    try:
        yield [int(name) for name in os.listdir(own) if name.isdigit()], "/proc/self/fd/{}".format(own)
    finally:
        os.close(own)


def _ticks(pid: int, proc: str) -> int:
    """0 where it has just gone."""
    try:
        with open("{}/{}/stat".format(proc, pid), "rb") as file:
            return sum(int(field) for field in file.read().rpartition(b")")[2].split()[11:15])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _written_bytes(launch: Launch) -> Optional[int]:
    """None where it cannot be told: without a sandbox a program writes where it likes."""
    if not launch["confined"]:
        return None
    try:
        return disk.used_bytes(disk.written(launch), time.monotonic() + _COUNT_SECONDS)
    except disk.TooMany:
        return None
