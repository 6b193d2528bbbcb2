"""A heap whose holes are filled: tried in a process of its own, whose heap nobody else changes."""

from __future__ import annotations

import subprocess
import sys

MAKES_HOLES = """
import ctypes
from clary.launcher import heap
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.free.argtypes = [ctypes.c_void_p]
blocks = [library.malloc(2000) for _ in range(2000)]
for block in blocks[::2]:
    library.free(block)
library.mallinfo2.restype = heap._Mallinfo2

def free_between():
    told = library.mallinfo2()
    return told.fordblks - told.keepcost

before = free_between()
heap.fill_holes()
print(before, free_between())
"""


def test_holes_are_filled() -> None:
    said = subprocess.run([sys.executable, "-c", MAKES_HOLES], capture_output=True, text=True, check=True)
    before, after = map(int, said.stdout.split())
    assert before > 1_500_000
    assert after < 300_000
