"""Rows as points: which of some centers is nearest, what the rows of each sum up to, Lloyd's method, k-means++.

Shapes: n rows, d features, K centers.
"""

from __future__ import annotations

import copy
import math
from typing import Any, Callable, Optional, Sequence, Tuple

import numpy as np
from scipy import sparse

from clary.algorithms.base import blocks
from clary.algorithms.base.hosts import Hosts

Array = Any
"""A numpy array; rows may be a scipy.sparse matrix."""

_ROWS, _PRODUCTS = 16_384, 1 << 20
"""Rows in a block, at most, and what they give: rows times centers."""
_FEW = 16
"""Centers: up to here their products with rows are made faster the other way round, and turned."""
_TINY = 1e-300


def squares(rows: Array, centers: Array, lengths: Optional[Array] = None) -> Array:
    """(n, K): squared distances; `lengths` (n, 1) are the rows' own squares, if they are known."""
    own = _lengths(rows) if lengths is None else lengths
    return np.maximum(own - 2 * (rows @ centers.T) + (centers**2).sum(axis=1), 0)


def _lengths(rows: Array) -> Array:
    own = rows.multiply(rows).sum(axis=1) if sparse.issparse(rows) else (rows**2).sum(axis=1)
    return np.asarray(own).reshape(-1, 1)


class Points:
    """Rows, of weight 1: float32, dense ones less `shift`, all times `unit`, so that digits are kept."""

    def __init__(self, values: Array, shift: Array, unit: float = 1.0) -> None:
        self.rows, self.features = values.shape
        self._values = (values * unit).astype(np.float32) if sparse.issparse(values) else _shifted(values, shift, unit)
        self._weights = np.ones(self.rows, np.float32)

    def weighted(self, weights: Array) -> Points:
        """The same rows with other weights."""
        found = copy.copy(self)
        found._weights = weights.astype(np.float32)
        return found

    def part(self, chosen: Array) -> Points:
        """Some of the rows."""
        found = copy.copy(self)
        found.rows, found._values, found._weights = len(chosen), self._values[chosen], self._weights[chosen]
        return found

    def sums(self, centers: Array, rows: Optional[slice] = None) -> Array:
        """(K, d + 1): of the rows nearest to each center their sum and, last, their weight."""
        start, end, _ = (rows or slice(None)).indices(self.rows)
        table, half = _table(centers)

        def work(block: slice) -> Array:
            block = slice(start + block.start, start + block.stop)
            values = self._values[block]
            return self._summed(values, _nearest(values, table, half), self._weights[block], len(centers))

        return blocks.total(max(end - start, 0), _size(len(centers)), work)

    def _summed(self, values: Array, labels: Array, weights: Array, count: int) -> Array:
        columns = np.arange(len(labels) + 1, dtype=labels.dtype)
        members = sparse.csc_matrix((weights, labels, columns), shape=(count, len(labels)))
        total = members @ values
        found = np.empty((count, self.features + 1), np.float32)
        found[:, :-1] = total.toarray() if sparse.issparse(total) else total
        found[:, -1] = np.bincount(labels, weights, count)
        return found

    def distances(self, centers: Array, block: slice) -> Array:
        """(rows of the block,): squared distances to the nearest center."""
        values = self._values[block]
        labels = _nearest(values, *_table(centers))
        if sparse.issparse(values):
            return squares(values.astype(np.float64), centers)[np.arange(len(labels)), labels]
        return np.square(values - centers.astype(np.float32)[labels]).sum(axis=1)

    def squares(self, centers: Array) -> Array:
        """(2,): the sum of weighted squared distances to the nearest centers, and that of the weights."""

        def work(block: slice) -> Array:
            weights = self._weights[block].astype(np.float64)
            return np.asarray([self.distances(centers, block) @ weights, weights.sum()])

        return blocks.total(self.rows, _size(len(centers)), work)

    def farthest(self, centers: Array, count: int) -> Array:
        """(≤ count, d + 1): the rows that are farthest from their centers and, last, how far."""
        found = [self.distances(centers, block) for block in blocks.of(0, self.rows, _size(len(centers)))]
        distances = np.concatenate([*found, np.zeros(0)])
        chosen = np.argsort(-distances, kind="stable")[:count]
        return np.column_stack([self.dense(chosen), distances[chosen]])

    def dense(self, chosen: Array) -> Array:
        """(chosen, d) of float64."""
        values = self._values[chosen]
        return np.asarray(values.toarray() if sparse.issparse(values) else values, dtype=np.float64)


def _shifted(values: Array, shift: Array, unit: float) -> Array:
    found = np.empty(values.shape, dtype=np.float32)
    for block in blocks.of(0, len(values), _ROWS):
        np.multiply(values[block] - shift, unit, out=found[block], casting="same_kind")
    return found


def _size(centers: int) -> int:
    return max(1, min(_ROWS, _PRODUCTS // centers))


def _table(centers: Array) -> Tuple[Array, Array]:
    """(d, K) and (K,), both float32: centers, and half their squared lengths."""
    return np.ascontiguousarray(centers.T, dtype=np.float32), ((centers**2).sum(axis=1) / 2).astype(np.float32)


def _nearest(values: Array, table: Array, half: Array) -> Array:
    """(n,) of int32: the nearest center of each row. |x - c|² is smallest where x·c - |c|²/2 is largest.

    Sought in scores (K, n), whose largest of a column numpy finds many columns at a time; argmax goes one by one.
    """
    if sparse.issparse(values) or len(half) <= _FEW:
        scores = np.ascontiguousarray((values @ table).T)
    else:
        scores = table.T @ values.T
    scores -= half[:, None]
    largest = scores == scores.max(axis=0)
    if np.count_nonzero(largest) != scores.shape[1]:  # some row is as near to two centers: the first
        return scores.argmax(axis=0).astype(np.int32)
    return (np.arange(len(half), dtype=np.float32) @ largest.astype(np.float32)).astype(np.int32)


def lloyd(
    points: Points, centers: Array, hosts: Hosts, rounds: int, tolerance: float, stopped: Callable[[], bool]
) -> Array:
    """Centers (K, d) after at most so many rounds, or once their squared way is less than `tolerance` of the features'
    variance, or they are `stopped`."""
    first = hosts.total(points.sums(np.zeros((1, points.features))))
    total, weight = hosts.total(points.squares(first[:, :-1] / first[:, -1:]))
    least = tolerance * total / max(weight, _TINY) / points.features
    for _ in range(rounds):
        moved = _means(hosts.total(points.sums(centers)), centers, points, hosts)
        way = float(((moved - centers) ** 2).sum())
        centers = moved
        if way <= least or stopped():
            break
    return centers


def _means(found: Array, centers: Array, points: Points, hosts: Hosts) -> Array:
    """Each center's rows' mean; a center without any goes where a row is farthest from its own."""
    weights = found[:, -1]
    moved = np.where(weights[:, None] > 0, found[:, :-1] / np.maximum(weights, _TINY)[:, None], centers)
    empty = np.flatnonzero(weights <= 0)
    if len(empty):
        rows = hosts.joined(points.farthest(centers, len(empty)))
        rows = rows[np.argsort(-rows[:, -1], kind="stable")][: len(empty)]
        moved[empty[: len(rows)]] = rows[:, :-1]
    return moved


def chosen(method: str, values: Array, weights: Array, count: int, draw: np.random.Generator) -> Array:
    """`count` of the rows, or all where there are no more: any, or by k-means++."""
    if len(values) <= count:
        return values.copy()
    if method == "random":
        return values[draw.choice(len(values), count, replace=False)]
    return values[_spread(values, weights, count, draw)]


def _spread(values: Array, weights: Array, count: int, draw: np.random.Generator) -> Sequence[int]:
    """Places of rows far from one another: each is drawn by its squared distance to the nearest one before, the best
    of a few draws is taken (Arthur and Vassilvitskii, "k-means++", 2007)."""
    tries = 2 + int(math.log(count))
    chosen = [int(draw.choice(len(values), p=weights / weights.sum()))]
    lengths = _lengths(values)
    nearest = squares(values, values[chosen], lengths)[:, 0]
    while len(chosen) < count:
        potential = np.cumsum(nearest * weights)
        drawn = np.searchsorted(potential, draw.random(tries) * potential[-1])
        distances = np.minimum(nearest[:, None], squares(values, values[np.minimum(drawn, len(values) - 1)], lengths))
        best = int((weights @ distances).argmin())
        chosen.append(int(min(drawn[best], len(values) - 1)))
        nearest = distances[:, best]
    return chosen
