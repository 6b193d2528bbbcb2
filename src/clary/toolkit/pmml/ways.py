"""Trees whose every node asks whether a number is less: the rows go down all of them at once, level by level."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from clary.toolkit.pmml.columns import BOOLEAN, STRING, Columns, constant_of
from clary.toolkit.pmml.reading import Element

Array = Any
Kinds = Mapping[str, str]

NOWHERE = -1
_LESS = {"lessThan": "greaterOrEqual", "lessOrEqual": "greaterThan"}
"""With the operator of the other child."""
_TOGETHER = 1_000_000
"""Rows times trees at once."""


class Ways(NamedTuple):
    """The nodes of one tree: a leaf leads to itself, NOWHERE has no answer."""

    names: Sequence[str]
    """Of the field that a node asks for; empty for leaves."""
    thresholds: Sequence[float]
    """The largest number that goes left."""
    left: Sequence[int]
    right: Sequence[int]
    missing: Sequence[int]
    """Where a missing value leads."""
    levels: int


def ways(nodes: Sequence[Element], places: Mapping[int, int], kinds: Kinds, strategy: str) -> Optional[Ways]:
    """None for a tree that asks for anything else; `places`: of the nodes, by their elements' ids. Raises Invalid."""
    found = [_step(node, places, kinds, strategy) for node in nodes]
    if not found or nodes[0].first("True") is None or any(each is None for each in found):
        return None
    steps: List[_Step] = [each for each in found if each is not None]
    names, thresholds, left, right, missing = zip(*steps)  # noqa: B905 - Python 3.8
    return Ways(names, thresholds, left, right, missing, _levels(left, right))


_Step = Tuple[str, float, int, int, int]


def _step(node: Element, places: Mapping[int, int], kinds: Kinds, strategy: str) -> Optional[_Step]:
    children = list(node.all("Node"))
    place = places[id(node)]
    if not children:
        return "", 0.0, place, place, place
    asked = [child.first("SimplePredicate") for child in children]
    if len(children) != 2 or None in asked:
        return None
    if asked[0].get("operator") not in _LESS:
        asked.reverse()
        children.reverse()
    less, more = asked
    if more.get("operator") != _LESS.get(less.get("operator")) or more.get("field") != less.get("field"):
        return None
    kind = kinds.get(less.get("field"), STRING)
    values = {each.get("value") for each in asked}
    if kind in (STRING, BOOLEAN) or len(values) != 1:
        return None
    threshold = float(constant_of(values.pop(), kind, "SimplePredicate"))
    if less.get("operator") == "lessThan":
        threshold = float(np.nextafter(threshold, -np.inf))
    left, right = (places[id(child)] for child in children)
    named = {child.get("id"): places[id(child)] for child in children}
    default = named.get(node.get("defaultChild") or "?", NOWHERE) if strategy == "defaultChild" else NOWHERE
    return less.get("field"), threshold, left, right, default


def _levels(left: Sequence[int], right: Sequence[int]) -> int:
    """The longest way to a leaf."""
    waiting, most = [(0, 0)], 0
    while waiting:
        node, level = waiting.pop()
        most = max(most, level)
        if left[node] != node:
            waiting += [(left[node], level + 1), (right[node], level + 1)]
    return most


class Grove:
    """Several trees, as one."""

    def __init__(self, trees: Sequence[Ways]) -> None:
        self._names = sorted({name for tree in trees for name in tree.names if name})
        at = {name: place for place, name in enumerate(self._names)}
        self._starts = np.cumsum([0, *(len(tree.names) for tree in trees[:-1])])
        self._levels = max(tree.levels for tree in trees)
        whole = sum(len(tree.names) for tree in trees)
        self._columns = np.asarray([at.get(name, 0) for tree in trees for name in tree.names] + [0])
        self._thresholds = np.asarray([each for tree in trees for each in tree.thresholds] + [0.0])
        self._left, self._right, self._missing = (
            np.concatenate([*(_moved(each, start, whole) for each, start in pairs), [whole]])
            for pairs in (
                [(getattr(tree, side), start) for tree, start in zip(trees, self._starts)]  # noqa: B905 - Python 3.8
                for side in ("left", "right", "missing")
            )
        )
        self._whole = whole

    def leaves(self, columns: Columns, count: int) -> Array:
        """(rows, trees): the leaf at which each row has ended in each tree, by its place there; NOWHERE without one."""
        table = self._table(columns, count)
        some = max(1, _TOGETHER // len(self._starts))
        parts = [self._walked(table[begin : begin + some]) for begin in range(0, count, some)]
        found = np.concatenate(parts) if parts else np.zeros((0, len(self._starts)), int)
        return np.where(found == self._whole, NOWHERE, found - self._starts)

    def _table(self, columns: Columns, count: int) -> Array:
        if not self._names:
            return np.zeros((count, 1))
        found = [np.where(columns[name].missing, np.nan, columns[name].values) for name in self._names]
        return np.stack(found, axis=1)

    def _walked(self, table: Array) -> Array:
        nodes = np.broadcast_to(self._starts, (len(table), len(self._starts)))
        rows = np.arange(len(table))[:, None]
        gaps = bool(np.isnan(table).any())
        for _ in range(self._levels):
            values = table[rows, self._columns[nodes]]
            following = np.where(values <= self._thresholds[nodes], self._left[nodes], self._right[nodes])
            nodes = np.where(np.isnan(values), self._missing[nodes], following) if gaps else following
        return nodes


def _moved(places: Sequence[int], start: int, nowhere: int) -> Array:
    found = np.asarray(places)
    return np.where(found == NOWHERE, nowhere, found + start)


def by_ids(nodes: Sequence[Element]) -> Dict[int, int]:
    """The places of nodes, by their elements' ids."""
    return {id(node): place for place, node in enumerate(nodes)}
