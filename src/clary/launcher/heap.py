"""The C library's heap of a process that is to be forked."""

from __future__ import annotations

import ctypes
from typing import Any

_SIZES = (*(2**power for power in range(16, 10, -1)), *range(1024, 16, -16))
"""Bytes that are asked for, the largest first."""


class _Mallinfo2(ctypes.Structure):
    """struct mallinfo2 (mallinfo(3)); `keepcost` is what is free at the heap's end."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks")
    ] + [("keepcost", ctypes.c_size_t)]


def fill_holes() -> None:
    """Take what is free between the heap's blocks, for ever: what a fork allocates lies together then, not in one page
    of each hole's that it shared until then. Does nothing where the C library is not glibc, or older than 2.33."""
    library: Any = ctypes.CDLL(None)
    if not hasattr(library, "mallinfo2"):
        return
    library.mallinfo2.restype = _Mallinfo2
    library.malloc.restype = library.sbrk.restype = ctypes.c_void_p
    library.malloc.argtypes, library.sbrk.argtypes = [ctypes.c_size_t], [ctypes.c_ssize_t]
    library.free.argtypes = [ctypes.c_void_p]
    for size in _SIZES:
        _take(library, size)


def _take(library: Any, size: int) -> None:  # noqa: ANN401  ctypes makes its type as it loads
    end = library.sbrk(0) - library.mallinfo2().keepcost
    while True:
        block = library.malloc(size)
        if block is None or not block < end:
            library.free(block)
            return
