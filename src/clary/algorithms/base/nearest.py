"""The rows nearest to queries, exactly: products of blocks in float32, the best of them measured again in float64.

Shapes: n rows, d features, m queries, k neighbours.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, List, NamedTuple, Tuple

import numpy as np

from clary.algorithms.base import origins

Array = Any
"""A numpy array."""

_QUERIES, _ROWS = 512, 2048
"""A block's products stay in a CPU's own memory."""
MORE = 8
"""Rows measured again beside the k: float32 may have put them in another order."""
_FULL = 16
"""Rows kept for later, as a multiple of those wanted, before the best of them are taken."""
_DIGITS, _DOUBT = 2.0**-23, 0.02
"""Of float32; and what part of a neighbour's squared distance a rounding may be."""
_LARGEST = np.float32(2.0**126)
"""What stands for larger queries."""


class Neighbours(NamedTuple):
    """(m, k) each, the nearest first: places of rows, and squared distances or products with the query."""

    places: Array
    values: Array


class Rows:
    """Rows (n, d) that are looked up by squared distance, or by the product with the query (`products`)."""

    def __init__(self, rows: Array, *, products: bool = False) -> None:
        self._products = products
        self.unit = origins.unit(float(origins.largest(rows)[0]))
        """What moved rows and queries are multiplied with: their distances are the user's, times this."""
        self.origin = np.zeros(rows.shape[1], np.float32) if products else origins.of(origins.sampled(rows))
        """(d,): what moved rows and queries are less by, as users give features."""
        self._table = np.empty((len(rows), rows.shape[1] + 1), np.float32)
        self._rows[...] = self.moved(rows)
        self._table[:, -1] = 0.0 if products else np.einsum("nd,nd->n", self._rows, self._rows) / -2

    @property
    def _rows(self) -> Array:
        """(n, d), moved."""
        return self._table[:, :-1]

    def moved(self, queries: Array) -> Array:
        """(m, d): queries of float32 as the rows are kept; what is larger than float32 holds is the largest."""
        with np.errstate(over="ignore"):
            found = queries if self.unit == 1 else np.clip(queries * np.float32(self.unit), -_LARGEST, _LARGEST)
        return found - self.origin * np.float32(self.unit)

    def scores(self, query: Array, start: int, end: int) -> Array:
        """(end - start,): by how much a part of the rows is near a moved query (d,): (|q|² - |x - q|²) / 2, or x·q.

        It overflows where the query has numbers beyond `origins.LARGEST`.
        """
        return self._table[start:end, :-1] @ query + self._table[start:end, -1]

    def nearest(self, queries: Array, k: int) -> Neighbours:
        """The k ≤ n nearest of each query (m, d)."""
        blocks = [queries[start : start + _QUERIES] for start in range(0, len(queries), _QUERIES)]
        found = [self._of_block(self.moved(block), k) for block in blocks]
        return Neighbours(np.concatenate([f.places for f in found]), np.concatenate([f.values for f in found]))

    def _of_block(self, queries: Array, k: int) -> Neighbours:
        """|x - q|² is smallest where x·q - |x|²/2 is largest: the last column of both stands for it."""
        asked = np.column_stack([queries, np.ones(len(queries), np.float32)]) * origins.units(queries)
        wanted, count = min(k + MORE, len(self._table)), len(os.sched_getaffinity(0))
        size = max(-(-len(self._table) // count), wanted)
        parts = [(start, min(start + size, len(self._table))) for start in range(0, len(self._table), size)]
        with ThreadPoolExecutor(len(parts)) as pool:
            found = list(pool.map(lambda part: self._scan(asked, part, wanted), parts))
        best = _Best(len(queries), wanted)
        for query, place, score in found:
            best.keep(query, place, score)
        nearest = self.measured(queries, best.taken()[1].reshape(len(queries), wanted), k)
        for row in np.flatnonzero(self.doubtful(queries, nearest)):
            chosen = self._possible(queries[row], float(nearest.values[row, -1]), wanted)
            again = self.measured(queries[row : row + 1], chosen[None], k)
            nearest.places[row], nearest.values[row] = again.places[0], again.values[0]
        return nearest

    def doubtful(self, moved: Array, nearest: Neighbours) -> Array:
        """(m,): whether float32 may have overlooked nearer rows, since neighbours are so near, and all so far away from
        the origin, that too few digits tell them apart."""
        farthest = nearest.values[:, -1] * self.unit**2
        few = self._error(np.linalg.norm(moved.astype(np.float64), axis=1), farthest) > _DOUBT * farthest
        return few & (farthest > 0) & (not self._products)

    def _error(self, length: Array, square: Array) -> Array:
        """By how much float32 may miss scores of rows that are so near (squared) to queries of that length."""
        return _DIGITS * (8 + np.sqrt(self._rows.shape[1])) * (length + np.sqrt(square)) ** 2

    def _possible(self, query: Array, farthest: float, wanted: int) -> Array:
        """(≥ wanted,): all rows that are not certain to be farther off than that, and the nearest others."""
        square, length = farthest * self.unit**2, float(np.linalg.norm(query.astype(np.float64)))
        if length > origins.LARGEST:
            return np.arange(len(self._table))
        scores = self.scores(query, 0, len(self._table))
        least = (length**2 - square) / 2 - self._error(np.float64(length), np.float64(square))
        return np.flatnonzero(scores >= min(least, np.partition(scores, -wanted)[-wanted]))

    def _scan(self, asked: Array, part: Tuple[int, int], wanted: int) -> Tuple[Array, Array, Array]:
        """The best of a part of the rows: queries, places and scores, those of one query beside one another."""
        best, start = _Best(len(asked), wanted), part[0]
        turn = start
        while start < part[1]:
            end = min(start + _ROWS, part[1])
            scores = asked @ self._table[start:end].T
            if start == part[0]:
                best.begin(scores)
            query, column = np.divmod(np.flatnonzero(scores > best.least), end - start)
            best.keep(query, column + start, scores[query, column])
            if best.full or start >= turn:  # ever more seldom: the best of twice the rows are seldom better
                best.take()
                turn = part[0] + 2 * (end - part[0])
            start = end
        return best.taken()

    def measured(self, queries: Array, places: Array, k: int) -> Neighbours:
        """The k nearest of each moved query (m, d) among some rows, by float64."""
        values = np.empty(places.shape)
        for row, query in enumerate(queries.astype(np.float64)):
            near = self._rows[places[row]].astype(np.float64)
            values[row] = near @ query if self._products else ((near - query) ** 2).sum(axis=1)
        order = np.argsort(-values if self._products else values, axis=1, kind="stable")[:, :k]
        return Neighbours(np.take_along_axis(places, order, 1), np.take_along_axis(values, order, 1) / self.unit**2)


class _Best:
    """The `wanted` rows of each query with the highest scores so far, and others that have yet to be compared."""

    def __init__(self, queries: int, wanted: int) -> None:
        self.least = np.full((queries, 1), -np.inf, np.float32)
        """What a score must exceed to be among the best."""
        self._wanted = wanted
        self._kept: List[Tuple[Array, Array, Array]] = []
        self._size = 0

    @property
    def full(self) -> bool:
        """Whether it is time to take the best."""
        return self._size > _FULL * self._wanted * len(self.least)

    def begin(self, scores: Array) -> None:
        """Learn from a first block (queries, rows) what the least will be."""
        if scores.shape[1] >= self._wanted:
            last = np.partition(scores, -self._wanted, axis=1)[:, -self._wanted, None]
            self.least = np.nextafter(last, np.float32(-np.inf))

    def keep(self, query: Array, place: Array, score: Array) -> None:
        """Rows to be compared later."""
        self._kept.append((query, place, score))
        self._size += len(query)

    def take(self) -> None:
        """Compare; forget the others."""
        query, place, score = (np.concatenate(column) for column in zip(*self._kept))  # noqa: B905 - Python 3.8
        order = np.lexsort((-score, query))  # stable: of rows that are alike, the first
        query, place, score = query[order], place[order], score[order]
        counts = np.bincount(query, minlength=len(self.least))
        rank = np.arange(len(query)) - np.repeat(np.cumsum(counts) - counts, counts)
        chosen = rank < self._wanted
        self._kept, self._size = [(query[chosen], place[chosen], score[chosen])], int(chosen.sum())
        last = rank == self._wanted - 1
        self.least[query[last], 0] = score[last]

    def taken(self) -> Tuple[Array, Array, Array]:
        """The best of all."""
        self.take()
        return self._kept[0]
