"""Where rows of float32 are best counted from, and in which unit, so that their products keep the digits of distances.

Shapes: n rows, d features.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

Array = Any
"""A numpy array; rows may be a scipy.sparse matrix."""

_MOST, _LEAST, _NUMBERS = 4096, 256, 1 << 22
"""Rows that say where the others are: fewer where they are so wide that these would have more numbers."""
_FAR = 4
"""The middle half of a feature lies within so many times its mean: to take the mean from it costs two bits at most."""
_SMALL, _LARGE = -30, 50
"""Powers of two between which the largest number shall be: squares of many such neither overflow nor vanish."""
LARGEST = 2.0**_LARGE


def sampled(rows: Array) -> Array:
    """Some of the rows (n, d), from all parts of them."""
    count, width = rows.shape
    wanted = max(_LEAST, min(_MOST, _NUMBERS // width))
    return rows[:: max(1, -(-count // wanted))]


def of(sample: Array) -> Array:
    """(d,) of float32: the mean of the middle half of each feature that lies far from zero, of others 0.

    It is not the mean of all rows: one of 1e9 among many around 1 would leave no digit of theirs.
    """
    if not len(sample):
        return np.zeros(sample.shape[1], np.float32)
    ordered = np.sort(sample.astype(np.float64), axis=0)
    low, high = len(ordered) // 4, len(ordered) - len(ordered) // 4
    first, last = ordered[low], ordered[high - 1]
    mean = ordered[low:high].mean(axis=0)
    far = (np.minimum(first * mean, last * mean) > 0) & _within(first, mean) & _within(last, mean)
    return np.where(far, mean, 0.0).astype(np.float32)


def _within(value: Array, mean: Array) -> Array:
    return (np.abs(value) * _FAR >= np.abs(mean)) & (np.abs(value) <= np.abs(mean) * _FAR)


def largest(rows: Array) -> Array:
    """(1,): the largest number of rows (n, d), sparse or dense, without its sign."""
    values = rows.data if sparse.issparse(rows) else rows
    return np.asarray([max(values.max(), -values.min()) if values.size else 0.0], dtype=np.float64)


def unit(largest: float) -> float:
    """A power of two to multiply numbers of at most that size with; 1 where they are of no unusual size."""
    exponent = int(np.frexp(largest)[1])
    return float(np.ldexp(1.0, min(max(exponent, _SMALL), _LARGE) - exponent)) if largest else 1.0


def units(queries: Array) -> Array:
    """(m, 1) of float32: for each row (m, d) a power of two that brings its numbers below what may overflow."""
    exponents = np.frexp(np.abs(queries).max(axis=1, keepdims=True, initial=0))[1]
    return np.ldexp(np.float32(1), np.minimum(_LARGE - exponents, 0))
