"""How much memory a container holds, and its end where that is too much: for hosts that give us no cgroup."""

# ruff: noqa: PTH123
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import os
from typing import Iterable, Optional, Sequence

from clary.launcher import process

_PAGE = os.sysconf("SC_PAGE_SIZE")


def held_bytes(pids: Iterable[int], proc: str = "/proc") -> int:
    """Memory of these processes, as `proc` shows them: resident pages without those of files, shared ones counted once
    per share where the kernel tells."""
    return sum(_proportional(each, proc) or resident(each, proc) for each in pids)


def roughly_above(pid: int, limit: int) -> bool:
    """Whether the container holds more than `limit` bytes: a cheap sum first, the exact one only when that is near."""
    family = [pid, *process.descendants(pid)]
    if sum(resident(each) for each in family) <= limit:
        return False
    return held_bytes(family) > limit


def in_files(folders: Sequence[int]) -> int:
    """Bytes of the files in memory of these file systems, given by a descriptor of each."""
    held = (os.fstatvfs(folder) for folder in folders)
    return sum((each.f_blocks - each.f_bfree) * each.f_frsize for each in held)


def resident(pid: int, proc: str = "/proc") -> int:
    """Bytes of one process, without those of files and what it shares; 0 where it has ended."""
    try:
        with open("{}/{}/statm".format(proc, pid), "rb") as file:
            _, resident, shared = file.read().split()[:3]
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return (int(resident) - int(shared)) * _PAGE


def _proportional(pid: int, proc: str) -> Optional[int]:
    try:
        with open("{}/{}/smaps_rollup".format(proc, pid), "rb") as file:
            lines = dict(line.split(b":", 1) for line in file.read().splitlines()[1:])
    except (OSError, ValueError):
        return None
    return sum(int(lines.get(name, b"0 kB").split()[0]) for name in (b"Pss_Anon", b"Pss_Shmem")) * 1024
