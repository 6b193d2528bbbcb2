"""Trees of random cuts, and how a point stands out from them
(Guha, Mishra, Roy and Schrijvers, "Robust Random Cut Forest Based Anomaly Detection On Streams", 2016,
https://proceedings.mlr.press/v48/guha16.html).

All trees grow together, one level at a time, and points go down together. Shapes: T trees of s rows, d
features, N nodes.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, List, Mapping, NamedTuple

import numpy as np

Array = Any
"""A numpy array."""

_LEAF = -1
_NUMBERS = 1 << 18
"""Points times features that go down at once: they stay in a CPU's own memory."""
_GROWN = 1 << 22
"""Rows times features that grow at once, at most, unless one tree has more."""


class Forest(NamedTuple):
    """Nodes of all trees: each one's rows lie in the box `middle` ± `half` (N, d), whose sides add up to `span` (N,).

    `left` (N,) is the first of two children, beside one another, or -1; those of rows up to `cut` in the feature
    `feature` go there. `mass` (N,) is the number of rows, `roots` (T,) the trees' first nodes.
    """

    roots: Array
    left: Array
    feature: Array
    cut: Array
    middle: Array
    half: Array
    span: Array
    mass: Array

    def scores(self, points: Array) -> Array:
        """(n,): the expected inverse of the depth at which each point (n, d) would stand, had it been there when the
        tree grew; the mean over the trees, times log2(s + 1), so that points like most have about 1 or less."""
        points, trees = np.asarray(points, np.float32), len(self.roots)
        some = max(1, _NUMBERS // (trees * points.shape[1]))
        block = some if some >= 64 else max(1, _NUMBERS // points.shape[1])
        starts = range(0, len(points), block)
        each = trees if some >= 64 or len(points) <= some else 1
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            found = list(pool.map(lambda start: self._of_block(points[start : start + block], each), starts))
        return np.concatenate(found) if found else np.zeros(0)

    def _of_block(self, points: Array, each: int) -> Array:
        """So many trees at once."""
        total = np.zeros(len(points))
        for start in range(0, len(self.roots), each):
            roots = self.roots[start : start + each]
            found = self._fall(points, np.repeat(roots, len(points)), np.tile(np.arange(len(points)), len(roots)))
            total += found.reshape(len(roots), -1).sum(axis=0)
        return total / len(self.roots) * np.log2(self.mass[self.roots[0]] + 1)

    def _fall(self, points: Array, node: Array, point: Array) -> Array:
        """(pairs of a tree and a point,): what each pair scores, from the root down.

        At each node the point is cut off at once with a chance that its distance from the box says; `left_over` is the
        chance that it was not yet.
        """
        found, pair, left_over = np.zeros(len(node)), np.arange(len(node)), np.ones(len(node))
        depth, size = 0, self.mass[node].astype(np.float64)
        while len(pair):
            outside = self._outside(points[point], node)
            span, left = self.span[node], self.left[node]
            chance = outside / np.maximum(outside + span, np.finfo(np.float32).tiny)
            found[pair] += left_over * chance / (depth + 1)
            left_over = left_over * (1 - chance)
            alike = (left == _LEAF) & (outside <= 0)
            mass = self.mass[node[alike]]
            seen = (1 - mass / (2 * size[pair[alike]])) / (depth + np.log2(mass + 1.0))
            found[pair[alike]] += left_over[alike] * seen
            on = left != _LEAF
            node, point, pair, left_over = node[on], point[on], pair[on], left_over[on]
            node = left[on] + (points[point, self.feature[node]] > self.cut[node])
            depth += 1
        return found

    def _outside(self, values: Array, node: Array) -> Array:
        """(pairs,): how far each is outside of its node's box, the features' distances added up."""
        values = values - self.middle[node]
        np.abs(values, out=values)
        values -= self.half[node]
        np.maximum(values, 0, out=values)
        return values.sum(axis=1, dtype=np.float64)

    def arrays(self) -> Mapping[str, Array]:
        """By their names."""
        return self._asdict()


def grown(rows: Array, chosen: Array, draw: np.random.Generator) -> Forest:
    """A forest over rows (n, d) of float32, of which each tree has those at `chosen` (T, s)."""
    trees, size = chosen.shape
    each = max(1, _GROWN // max(1, size * rows.shape[1]))
    forests: List[Forest] = []
    nodes = 0
    for start in range(0, trees, each):
        part = chosen[start : start + each]
        forest = _grown(rows[part.reshape(-1)], len(part), draw)
        left = np.where(forest.left == _LEAF, _LEAF, forest.left + nodes)
        forests.append(forest._replace(roots=forest.roots + nodes, left=left))
        nodes += len(left)
    return _joined(forests)


def _joined(forests: List[Forest]) -> Forest:
    return Forest(*(np.concatenate(arrays) for arrays in zip(*forests)))  # noqa: B905 - Python 3.8


def _grown(points: Array, trees: int, draw: np.random.Generator) -> Forest:
    """`trees` of as many points each; those of a node lie beside one another, in every level."""
    starts, nodes = np.arange(trees) * (len(points) // trees), 0
    levels: List[Forest] = []
    while len(starts):
        level, cut = _level(points, starts, draw)
        on = level.left != _LEAF
        nodes += len(starts)
        level.left[on] = nodes + 2 * np.arange(on.sum())
        levels.append(level)
        points, starts = _parted(points, starts, cut, level)
    return _joined(levels)._replace(roots=np.arange(trees))


def _level(points: Array, starts: Array, draw: np.random.Generator) -> Any:  # noqa: ANN401 - a level, and where it is cut
    low = np.minimum.reduceat(points, starts, axis=0)
    high = np.maximum.reduceat(points, starts, axis=0)
    sides = np.cumsum(high.astype(np.float64) - low, axis=1)
    on = sides[:, -1] > 0
    place = draw.random(len(starts)) * sides[:, -1]
    feature = np.where(on, (sides > place[:, None]).argmax(axis=1), 0)
    each = np.arange(len(starts))
    before = np.where(feature > 0, sides[each, feature - 1], 0.0)
    low_, high_ = low[each, feature], high[each, feature]
    cut = np.clip((low_ + (place - before)).astype(np.float32), low_, np.nextafter(high_, np.float32(-np.inf)))
    middle = ((low.astype(np.float64) + high) / 2).astype(np.float32)
    half = np.where(on[:, None], np.maximum(high - middle, middle - low), np.float32(0))
    level = Forest(
        roots=np.zeros(0, np.int64),
        left=np.where(on, 0, _LEAF),
        feature=feature.astype(np.int32),
        cut=cut,
        middle=middle,
        half=half,
        span=sides[:, -1],
        mass=np.diff(np.append(starts, len(points))),
    )
    return level, on


def _parted(points: Array, starts: Array, on: Array, level: Forest) -> Any:  # noqa: ANN401 - points and starts
    """The points of nodes that are cut, ordered by the nodes of the next level."""
    node = np.repeat(np.arange(len(starts)), level.mass)
    points, node = points[on[node]], node[on[node]]
    right = points[np.arange(len(node)), level.feature[node]] > level.cut[node]
    child = 2 * (np.cumsum(on) - 1)[node] + right
    points = points[np.argsort(child, kind="stable")]
    sizes = np.bincount(child, minlength=2 * int(on.sum()))
    return points, np.cumsum(sizes) - sizes
