"""Features as they are learned from: shifted and scaled. Sparse ones stay sparse, since the shift is applied to the
products instead of to the values."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional, Tuple, Union

import numpy as np
from scipy import sparse

Array = Any
"""A numpy array, or a sparse matrix where it says so."""

_OF_ORIGIN, _OF_SQUARES = 1e-12, 1e-7
"""What roundings make of a constant column's spread: parts of what was taken from it, and of its mean square's root."""
_ROWS = 16_384


class Moments(NamedTuple):
    """Sums over a sample of rows, which hosts add up: their number, and each column's sum and sum of squares.

    `origin` is what was taken from the values before, so that far-away columns lose no digits.
    """

    rows: float
    total: Array
    squares: Array
    origin: Array

    def mean(self) -> Array:
        """Of each column."""
        return self.origin + self.total / max(self.rows, 1)

    def spread(self) -> Array:
        """The standard deviation of each column; 1 where a column is constant."""
        rows = max(self.rows, 1)
        variance = np.maximum(self.squares / rows - (self.total / rows) ** 2, 0)
        spread = np.sqrt(variance)
        noise = np.maximum(_OF_ORIGIN * np.abs(self.origin), _OF_SQUARES * np.sqrt(self.squares / rows))
        return np.where(spread > noise, spread, 1.0)


def moments(values: Array, origin: Array) -> Moments:
    """Of rows (n, d), sparse or dense."""
    if sparse.issparse(values):
        wide = values.astype(np.float64)
        total = np.asarray(wide.sum(axis=0)).ravel()
        squares = np.asarray(wide.multiply(wide).sum(axis=0)).ravel()
        return Moments(values.shape[0], total, squares, np.zeros(values.shape[1]))
    near = np.asarray(values, dtype=np.float64) - origin
    return Moments(len(near), near.sum(axis=0), (near**2).sum(axis=0), origin)


class Scale(NamedTuple):
    """value ↦ (value - shift) / unit, for each column."""

    shift: Array
    unit: Array


class Dense:
    """Rows of numbers, scaled once. Float32: half the memory traffic, and far more digits than a step of descent."""

    def __init__(self, values: Array, scale: Scale) -> None:
        self._values = _scaled(values, scale)
        self.shape: Tuple[int, int] = self._values.shape

    def scores(self, rows: slice, weights: Array) -> Array:
        """(rows, m) for weights (d, m)."""
        return self._values[rows] @ weights

    def gradient(self, rows: slice, slopes: Array, out: Array) -> None:
        """Write (d, m): the sums over the rows of each feature times the slope."""
        np.matmul(self._values[rows].T, slopes, out=out)


def _scaled(values: Array, scale: Scale) -> Array:
    """Some rows at a time: another copy of everything as float64 would be the job's largest array."""
    scaled = np.empty(values.shape, dtype=np.float32)
    for start in range(0, len(values), _ROWS):
        rows = slice(start, start + _ROWS)
        scaled[rows] = (values[rows] - scale.shift) / scale.unit
    return scaled


class Sparse:
    """Rows with few values; the shift costs one product with the weights."""

    def __init__(self, values: Array, scale: Scale) -> None:
        self._values = values.multiply(1 / scale.unit).tocsr().astype(np.float32)
        shift = np.asarray(scale.shift / scale.unit, dtype=np.float32)
        self._shift: Optional[Array] = shift if np.any(shift) else None
        self.shape: Tuple[int, int] = self._values.shape

    def scores(self, rows: slice, weights: Array) -> Array:
        """(rows, m) for weights (d, m)."""
        scores = np.asarray(self._values[rows] @ weights)
        return scores if self._shift is None else scores - self._shift @ weights

    def gradient(self, rows: slice, slopes: Array, out: Array) -> None:
        """Write (d, m): the sums over the rows of each feature times the slope."""
        out[:] = self._values[rows].T @ slopes
        if self._shift is not None:
            out -= self._shift[:, None] * slopes.sum(axis=0)


Design = Union[Dense, Sparse]


def make(values: Array, scale: Scale) -> Design:
    """Of rows (n, d)."""
    return Sparse(values, scale) if sparse.issparse(values) else Dense(values, scale)
