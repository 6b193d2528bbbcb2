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
_IDLE_SECONDS = 0.5
_IDLE_BYTES = 2**20
"""Who has computed less and holds as much, but for this, is idle."""


def told(launch: Launch, since: float, cpu_seconds: float, memory_bytes: int) -> messages.Message:
    """As it is sent; `since` is when the container began (epoch seconds)."""
    return {
        "seconds": time.time() - since,
        "cpu_seconds": cpu_seconds,
        "memory_bytes": memory_bytes,
        "disk_bytes": _written_bytes(launch),
    }


class Look:
    """At a sandbox, again and again.

    What it shares with others is told by the kernel only, page by page, in some 10 ms. So that is asked for where the
    container has computed since, or holds more or less: what an idle one holds stays as it is.
    """

    def __init__(self, launch: Launch, since: float) -> None:
        self._launch = launch
        self._since = since
        self._computed = 0.0
        self._resident = 0
        self._held: Optional[int] = None

    def told(self, init: int, in_memory: Sequence[int]) -> messages.Message:
        """`init` is its first process, `in_memory` are its file systems in memory, its root first. Raises
        ProcessLookupError where it has just ended."""
        with _processes(init, in_memory) as (pids, proc):
            if not pids:
                raise ProcessLookupError(init)
            computed = cpu_seconds(pids, proc)
            held = self._memory(computed, pids, proc) + memory.in_files(in_memory)
            return told(self._launch, self._since, computed, held)

    def _memory(self, computed: float, pids: List[int], proc: str) -> int:
        resident = sum(memory.resident(pid, proc) for pid in pids)
        idle = abs(computed - self._computed) < _IDLE_SECONDS and abs(resident - self._resident) < _IDLE_BYTES
        if self._held is None or not idle:
            self._computed, self._resident = computed, resident
            self._held = memory.held_bytes(pids, proc)
        return max(0, self._held + resident - self._resident)


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
