"""Which pages of memory are a process's own, as /proc/PID/pagemap tells root."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

PAGE = 4096
_PRESENT = 1 << 63
_OF_A_FILE = 1 << 61
_FRAME = (1 << 55) - 1


def anonymous(pid: int) -> set[int]:
    """The page frames of what is no file's and lies in memory. Raises OSError for a process that has gone, and
    PermissionError for whom the kernel does not tell."""
    frames = {entry & _FRAME for entry in _entries(pid) if entry & _PRESENT and not entry & _OF_A_FILE}
    if frames == {0}:
        raise PermissionError("only root is told which pages are shared")
    return frames


def owned(parent: int, family: Sequence[int]) -> list[int]:
    """Bytes that each process of a family, oldest first, has besides what it shares with those before it, and with
    `parent`, of which all are forks."""
    seen = anonymous(parent)
    found = []
    for pid in family:
        frames = anonymous(pid)
        found.append(len(frames - seen) * PAGE)
        seen |= frames
    return found


def parent_of(pid: int) -> int:
    """Its parent's id."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _entries(pid: int) -> Iterator[int]:
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/pagemap").open("rb", buffering=0) as pagemap:
        for line in maps:
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            if start < 1 << 47:  # the kernel's own page for system calls lies above
                pagemap.seek(start // PAGE * 8)
                yield from array("Q", pagemap.read((end - start) // PAGE * 8))
