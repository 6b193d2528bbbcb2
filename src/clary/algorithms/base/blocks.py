"""Sums over many rows, a block of them at a time, on all CPUs: numpy's products let other threads run."""

from __future__ import annotations

import functools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Iterator

import numpy as np

Array = Any
"""A numpy array."""

_PARTS = 4
"""Rows are divided alike on every machine, so that the same data gives the same sum to its last digit."""


def total(rows: int, size: int, work: Callable[[slice], Array]) -> Array:
    """The sum of `work(slice)` over blocks of at most `size` of the rows, as float64; rows may be 0."""
    share = -(-rows // (_PARTS * size)) * size
    shares = [(start, min(start + share, rows)) for start in range(0, max(rows, 1), max(share, size))]
    if len(shares) == 1:
        return _sum(0, rows, size, work)
    with ThreadPoolExecutor(min(len(shares), len(os.sched_getaffinity(0)))) as pool:
        return functools.reduce(np.add, pool.map(lambda share: _sum(share[0], share[1], size, work), shares))


def _sum(start: int, end: int, size: int, work: Callable[[slice], Array]) -> Array:
    first, *others = of(start, end, size) if end > start else [slice(start, end)]
    found = np.array(work(first), dtype=np.float64)
    for rows in others:
        found += work(rows)
    return found


def of(start: int, end: int, size: int) -> Iterator[slice]:
    """The blocks between two rows."""
    for row in range(start, end, size):
        yield slice(row, min(row + size, end))
