"""What processes that answer predictions (the edge, its lanes) say of themselves: up to which generation of the routes
each has come, with which containers that are not routed to any more it still has requests, how many wait for each
replica, and how many it has answered.

An edge is alive while it holds the lock of its slot's file; the kernel frees the lock however the edge ends.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import zlib
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from clary.names import random_hex

_COUNTER = struct.Struct("<Q")
ANSWERS: Final = 4096
"""How far behind the cell of those that wait for a replica that of its answers lies."""
_CELL: Final = "Q"
_BYTES = _COUNTER.size + 2 * ANSWERS * struct.calcsize(_CELL)
_SUFFIX, _BUSY = ".slot", ".busy"


def _folder(run_dir: Path) -> Path:
    return run_dir / "edges"


class EdgeSlot:
    """One edge's own slot."""

    def __init__(self, run_dir: Path) -> None:
        folder = _folder(run_dir)
        folder.mkdir(parents=True, exist_ok=True)
        _clear(folder)
        name = folder / random_hex(8)
        self._descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.posix_fallocate(self._descriptor, 0, _BYTES)  # a write to what is mapped kills where the disk has no room
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        self._counter = mmap.mmap(self._descriptor, _BYTES)
        self.cells = _cells(self._counter)
        """How many requests this process has with each replica, by `cell_of`; ANSWERS further, how many it has had."""
        self._path = name.rename(name.with_suffix(_SUFFIX))  # seen by `acknowledged` only once it is locked
        self._busy: frozenset[str] = frozenset()

    def write(self, generation: int, busy: Collection[str] = ()) -> None:
        """From here on no request of this edge is with a container that `generation` does not name, but for those with
        the `busy` ones. Raises OSError where the disk does not take these; then nothing was said."""
        if self._busy != frozenset(busy):  # before the generation: who sees that sees these
            fresh = self._path.with_suffix(".new")
            fresh.write_text("\n".join(sorted(busy)))
            fresh.replace(self._path.with_suffix(_BUSY))
            self._busy = frozenset(busy)
        _COUNTER.pack_into(self._counter, 0, generation)

    def close(self) -> None:
        """Leave in an orderly way."""
        _remove(self._path)
        os.close(self._descriptor)

    def others(self) -> list[Path]:
        """The slots beside it."""
        return [slot for slot in self._path.parent.glob("*" + _SUFFIX) if slot != self._path]


def cell_of(container: str) -> int:
    """Where a replica is counted, known by its first container. Two that share a place are counted together: each may
    then be held for busier than it is, which matters where both are overloaded."""
    return zlib.crc32(container.encode()) % ANSWERS


def _cells(mapped: mmap.mmap) -> memoryview[int]:
    """Which keep the mapping, for as long as somebody has them."""
    return memoryview(mapped)[_COUNTER.size :].cast(_CELL)


class Beside:
    """What the other processes have under way. Belongs to one event loop."""

    def __init__(self, own: EdgeSlot) -> None:
        self._own = own
        self._known: dict[Path, memoryview[int]] = {}
        self.cells: tuple[memoryview[int], ...] = ()
        """Of each of them."""
        self.look()

    def look(self) -> None:
        """Who is there now; to be asked about once a second. Without a free descriptor all stays as it was."""
        with suppress(OSError):
            slots = [slot for slot in self._own.others() if not _gone(slot)]
            self._known = {slot: self._known[slot] if slot in self._known else _seen(slot) for slot in slots}
            self.cells = tuple(self._known.values())


def _seen(slot: Path) -> memoryview[int]:
    """Another's cells, as they are at any moment; none of one that ends just now, or is of an older release."""
    try:
        with slot.open("rb") as file:
            return _cells(mmap.mmap(file.fileno(), _BYTES, prot=mmap.PROT_READ))
    except (FileNotFoundError, ValueError):
        return memoryview(bytes(_BYTES - _COUNTER.size)).cast(_CELL)


def _gone(slot: Path) -> bool:
    """Whether its process has ended; then it is cleared away."""
    try:
        descriptor = os.open(slot, os.O_RDONLY)
    except FileNotFoundError:
        return True
    try:
        abandoned = _abandoned(descriptor)
    finally:
        os.close(descriptor)
    if abandoned:
        _remove(slot)
    return abandoned


def _clear(folder: Path) -> None:
    """What edges have left that were killed."""
    for slot in folder.glob("*" + _SUFFIX):
        _gone(slot)


def acknowledged(run_dir: Path, generation: int, container: str) -> bool:
    """Whether every living edge has come to `generation`, which does not name this container, and has no request with
    it. Slots of dead edges are cleared away."""
    return all(_passed(slot, generation, container) for slot in _folder(run_dir).glob("*" + _SUFFIX))


def _passed(slot: Path, generation: int, container: str) -> bool:
    try:
        descriptor = os.open(slot, os.O_RDONLY)
    except FileNotFoundError:
        return True
    try:
        if _abandoned(descriptor):
            _remove(slot)
            return True
        seen: int = _COUNTER.unpack(os.pread(descriptor, _COUNTER.size, 0))[0]
        return seen >= generation and container not in _busy(slot)
    finally:
        os.close(descriptor)


def _busy(slot: Path) -> list[str]:
    try:
        return slot.with_suffix(_BUSY).read_text().splitlines()
    except FileNotFoundError:
        return []


def _remove(slot: Path) -> None:
    slot.with_suffix(_BUSY).unlink(missing_ok=True)
    slot.unlink(missing_ok=True)


def _abandoned(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
