"""Rows with fewer numbers, whose distances and products stay about the same
(Johnson and Lindenstrauss; https://docs.aws.amazon.com/sagemaker/latest/dg/kNN_how-it-works.html)."""

from __future__ import annotations

import math
from typing import Any, Mapping, NamedTuple, Optional

import numpy as np
from scipy import sparse

Array = Any
"""A numpy array; rows may be a scipy.sparse matrix."""


class Reduction(NamedTuple):
    """From `features` numbers to `width`: by random signs (features, width); by the fast Johnson-Lindenstrauss
    transform, of signs (padded,) and the chosen columns (width,); or, without either, by zeros at the end.

    Numbers are multiplied with `unit` first: libraries fail where squares overflow float32.
    """

    features: int
    width: int
    signs: Optional[Array] = None
    chosen: Optional[Array] = None
    unit: float = 1.0

    @property
    def arrays(self) -> Mapping[str, Array]:
        """What it needs besides its numbers, by name."""
        return {name: array for name, array in (("signs", self.signs), ("chosen", self.chosen)) if array is not None}

    def apply(self, rows: Array) -> Array:
        """(m, width) of float32; distances and products stay about the same."""
        rows = dense(rows) if self.unit == 1 else _sized(dense(rows), self.unit)
        if self.signs is None:
            return np.pad(rows, ((0, 0), (0, self.width - self.features)))
        if self.chosen is None:
            return rows @ (self.signs.astype(np.float32) / math.sqrt(self.width))
        padded = np.pad(rows, ((0, 0), (0, len(self.signs) - self.features))) * self.signs.astype(np.float32)
        return np.ascontiguousarray(_hadamard(padded)[:, self.chosen]) / np.float32(math.sqrt(self.width))


def _sized(rows: Array, unit: float) -> Array:
    """What float32 does not hold becomes the largest that it holds."""
    largest = np.finfo(np.float32).max
    return np.clip(rows * np.float64(unit), -largest, largest).astype(np.float32)


def _hadamard(rows: Array) -> Array:
    """The Walsh-Hadamard transform of each row, whose length is a power of 2: sums and differences of halves."""
    count, width = rows.shape
    step = 1
    while step < width:
        halves = rows.reshape(count, -1, 2, step)
        rows = np.concatenate([halves[:, :, :1] + halves[:, :, 1:], halves[:, :, :1] - halves[:, :, 1:]], axis=2)
        step *= 2
    return rows.reshape(count, width)


def padded(features: int, width: int) -> Reduction:
    """None: zeros make rows as wide as an index wants them."""
    return Reduction(features, width)


def sign(features: int, width: int, draw: np.random.Generator) -> Reduction:
    """A projection by random signs."""
    return Reduction(features, width, _signs(draw, (features, width)))


def fjlt(features: int, width: int, draw: np.random.Generator) -> Reduction:
    """The fast transform: random signs, Walsh-Hadamard, and some of its columns
    (Ailon and Chazelle, 2009; Tropp, "Improved analysis of the subsampled randomized Hadamard transform", 2011)."""
    size = 1 << (features - 1).bit_length()
    return Reduction(features, width, _signs(draw, size), draw.choice(size, width, replace=width > size))


def dense(features: Array) -> Array:
    """Rows of float32, without a matrix's sparsity."""
    return (features.toarray() if sparse.issparse(features) else np.asarray(features)).astype(np.float32)


def _signs(draw: np.random.Generator, shape: Any) -> Array:  # noqa: ANN401 - a number, or several
    return (2 * draw.integers(0, 2, shape) - 1).astype(np.int8)
