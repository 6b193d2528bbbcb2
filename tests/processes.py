"""Processes and their memory, as Linux shows them in /proc."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def family(pid: int, depth: int = 0) -> Iterator[tuple[int, int]]:
    """A process, its children, theirs: how far down each is, and its id."""
    yield depth, pid
    for child in _children(pid):
        yield from family(child, depth + 1)


def _children(pid: int) -> list[int]:
    found = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def bytes_of(pid: int, *names: str) -> int:
    """The sum of these entries of a process's memory map; 0 for one that has gone, or that may not be looked at."""
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        return sum(int(line.split()[1]) for line in lines if line.split(":")[0] in names) * 1024
    return 0
