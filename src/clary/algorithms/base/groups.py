"""Rows in groups, of which those that cannot be neighbours are passed over: exact, and fast where data has clusters.

In a group with middle c, no row x is nearer to a query q than | |q - c| - |x - c| | (triangle inequality); rows lie by
their distance from the middle, so those to be compared lie beside one another.
Shapes: n rows, d features, g groups, m queries, k neighbours.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from clary.algorithms.base import origins
from clary.algorithms.base.nearest import MORE, Neighbours, Rows

Array = Any
"""A numpy array."""

_QUERIES = 128
"""A thread's work at a time."""
_MOST = 0.02
"""Of all rows: to compare more with one query after the other is no faster than all rows with all queries."""
_SLACK = 1e-5
"""Of the squares that a distance is made of in float32: farther off than that no row is overlooked."""


class GroupedRows:
    """Rows (n, d) that are looked up by squared distance; `numbers` (n,) says to which group each belongs."""

    def __init__(self, rows: Array, numbers: Array) -> None:
        sizes = np.bincount(numbers)
        self._sizes = sizes[sizes > 0]
        self._begins = np.cumsum(self._sizes) - self._sizes
        self._order = np.argsort(numbers, kind="stable")
        groups = [(begin, begin + size) for begin, size in zip(self._begins, self._sizes)]  # noqa: B905 - Python 3.8
        self._middles = np.stack([rows[self._order[begin:end]].mean(axis=0, dtype=np.float64) for begin, end in groups])
        distances = np.empty(len(rows))
        for middle, (begin, end) in zip(self._middles, groups):  # noqa: B905
            away = np.sqrt(((rows[self._order[begin:end]] - middle) ** 2).sum(axis=1))
            ordered = np.argsort(away, kind="stable")
            self._order[begin:end], distances[begin:end] = self._order[begin:end][ordered], away[ordered]
        self._rows = Rows(rows[self._order])
        distances *= self._rows.unit
        self._middles = (self._middles - self._rows.origin) * self._rows.unit
        self._radii = distances[self._begins + self._sizes - 1]
        self._width = 2 * float(distances.max()) or 1.0
        self._keys = distances + self._width * np.repeat(np.arange(len(groups)), self._sizes)

    def nearest(self, queries: Array, k: int) -> Neighbours:
        """The k ≤ n nearest of each query (m, d)."""
        moved = self._rows.moved(queries)
        candidates = self._candidates(moved, k)
        near = np.asarray([row for row, places in enumerate(candidates) if places is not None], int)
        others = np.ones(len(moved), bool)
        places, values = np.empty((len(moved), k), int), np.empty((len(moved), k))
        if len(near):
            found = self._rows.measured(moved[near], np.stack([candidates[row] for row in near]), k)
            places[near], values[near] = found
            others[near] = self._rows.doubtful(moved[near], found)
        if others.any():
            places[others], values[others] = self._rows.nearest(queries[others], k)
        return Neighbours(self._order[places], values)

    def share_near(self, queries: Array, k: int) -> float:
        """Of the queries (m, d), how many need only few of the rows."""
        found = self._candidates(self._rows.moved(queries), k)
        return sum(places is not None for places in found) / max(len(found), 1)

    def _candidates(self, moved: Array, k: int) -> List[Optional[Array]]:
        """Of each query the rows that may be nearest, as `_of` has them."""
        blocks = [moved[start : start + _QUERIES] for start in range(0, len(moved), _QUERIES)]
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            found = list(pool.map(lambda block: self._of_block(block, k), blocks))
        return [places for block in found for places in block]

    def _of_block(self, queries: Array, k: int) -> List[Optional[Array]]:
        exact, wanted = queries.astype(np.float64), min(k + MORE, len(self._order))
        squares = (exact**2).sum(axis=1)[:, None] + (self._middles**2).sum(axis=1) - 2 * exact @ self._middles.T
        away = np.sqrt(np.maximum(squares, 0))
        return [self._of(*pair, wanted) for pair in zip(queries, away)]  # noqa: B905

    def _of(self, query: Array, away: Array, wanted: int) -> Optional[Array]:
        """(wanted,): places among the ordered rows; None where too many rows may be nearest.

        `away` (g,) says how far off the groups' middles are.
        """
        if np.abs(query).max(initial=0) > origins.LARGEST:
            return None
        nearest = np.argpartition(away, min(wanted, len(away)) - 1)[:wanted]
        nearest = nearest[np.argsort(away[nearest])]
        nearest = nearest[: int(np.searchsorted(np.cumsum(self._sizes[nearest]), wanted)) + 1]
        begins = self._begins[nearest]
        best = self._compared(query, begins, begins + self._sizes[nearest], wanted)
        length = float(query @ query)
        square = max(length - 2 * float(best.scores.min()), 0.0)
        reach = np.sqrt(square + _SLACK * (square + length)) + _SLACK * self._width
        begins, ends = self._within(away, reach, nearest)
        if (ends - begins).sum() > _MOST * len(self._order):
            return None
        return _joined((best, self._compared(query, begins, ends, wanted))).best(wanted).places

    def _within(self, away: Array, reach: float, but: Array) -> Tuple[Array, Array]:
        """Where, in groups other than `but`, the rows begin and end that may be within reach."""
        near = away - self._radii <= reach
        near[but] = False
        groups = np.flatnonzero(near)
        start, middle = self._width * groups, np.minimum(away[groups], self._radii[groups] + reach)
        begins = np.searchsorted(self._keys, start + np.maximum(middle - reach, 0))
        ends = np.searchsorted(self._keys, start + np.minimum(middle + reach, self._radii[groups]), "right")
        some = begins < ends
        return begins[some], ends[some]

    def _compared(self, query: Array, begins: Array, ends: Array, wanted: int) -> _Scored:
        """The best rows of some parts."""
        found = [_Scored(np.empty(0, int), np.empty(0, np.float32))]
        for begin, end in zip(begins, ends):  # noqa: B905 - Python 3.8
            found.append(_Scored(np.arange(begin, end), self._rows.scores(query, begin, end)).best(wanted))
        return _joined(found).best(wanted)


class _Scored(NamedTuple):
    """Places of rows, and what `Rows.scores` says of them."""

    places: Array
    scores: Array

    def best(self, wanted: int) -> _Scored:
        """Those with the highest scores."""
        if len(self.places) <= wanted:
            return self
        chosen = np.sort(np.argpartition(-self.scores, wanted - 1)[:wanted])
        return _Scored(self.places[chosen], self.scores[chosen])


def _joined(several: Sequence[_Scored]) -> _Scored:
    return _Scored(*(np.concatenate(column) for column in zip(*several)))  # noqa: B905 - Python 3.8
