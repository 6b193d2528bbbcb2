"""Acknowledgement: each edge says up to which generation of the routes it has nothing old in flight.

An edge is alive while it holds the lock of its slot's file; the kernel frees the lock however the edge ends.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
from pathlib import Path

from clary.names import random_hex

_COUNTER = struct.Struct("<Q")
_SUFFIX = ".slot"


def _folder(run_dir: Path) -> Path:
    return run_dir / "edges"


class EdgeSlot:
    """One edge's own slot."""

    def __init__(self, run_dir: Path) -> None:
        folder = _folder(run_dir)
        folder.mkdir(parents=True, exist_ok=True)
        name = folder / random_hex(8)
        self._descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.ftruncate(self._descriptor, _COUNTER.size)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        self._counter = mmap.mmap(self._descriptor, _COUNTER.size)
        self._path = name.rename(name.with_suffix(_SUFFIX))  # seen by `acknowledged` only once it is locked

    def write(self, generation: int) -> None:
        """From here on no request of this edge is with a replica that `generation` does not name."""
        _COUNTER.pack_into(self._counter, 0, generation)

    def close(self) -> None:
        """Leave in an orderly way."""
        self._path.unlink(missing_ok=True)
        self._counter.close()
        os.close(self._descriptor)


def acknowledged(run_dir: Path, generation: int) -> bool:
    """Whether every living edge has come to `generation`. Slots of dead edges are cleared away."""
    return all(_passed(slot, generation) for slot in _folder(run_dir).glob("*" + _SUFFIX))


def _passed(slot: Path, generation: int) -> bool:
    try:
        descriptor = os.open(slot, os.O_RDONLY)
    except FileNotFoundError:
        return True
    try:
        if _abandoned(descriptor):
            slot.unlink(missing_ok=True)
            return True
        seen: int = _COUNTER.unpack(os.pread(descriptor, _COUNTER.size, 0))[0]
        return seen >= generation
    finally:
        os.close(descriptor)


def _abandoned(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
