"""Models as formulas: what linear models, trees and centres calculate, whatever library has trained them, and whatever
file they are written to."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from clary.algorithms.neo.compiled import Uncompilable

Array = Any

FIELD = "field"
LEAF = -1
NOWHERE = "none"
"""The link of margins that say which label is chosen, and nothing of how probable it is."""


class Column(NamedTuple):
    """A number of each row: a field of the model (its place is the argument), or a function of columns and numbers.

    Functions: `+`, `-`, `*`, `/`, `pow`, `min`, `max`, `sum`, `exp`, `ln`, `ln1p`, `sqrt`; `equal` and `above` are 1 or
    0; `instead` is its second argument where the first is missing.
    """

    function: str
    arguments: Tuple[Any, ...]


class Tree(NamedTuple):
    """Nodes by their places, the root first; of a leaf the column is LEAF."""

    columns: Sequence[int]
    thresholds: Sequence[float]
    left: Sequence[int]
    """Where a value is less, or the threshold itself, unless `strict`."""
    right: Sequence[int]
    values: Sequence[Sequence[float]]
    """Of leaves: a number, or one for each label."""
    strict: bool
    missing_left: Optional[Sequence[bool]] = None
    """Where a missing value goes; None: such a row has no answer."""

    def leaves(self) -> Iterator[int]:
        """Their places, of those that can be reached."""
        return (node for node in self.reached() if self.columns[node] == LEAF)

    def reached(self) -> Iterator[int]:
        """The places of the nodes that can be reached, parents first."""
        waiting = [0]
        while waiting:
            node = waiting.pop()
            yield node
            if self.columns[node] != LEAF:
                waiting += [self.right[node], self.left[node]]

    def depth(self) -> int:
        """Levels of nodes."""
        waiting, deepest = [(0, 1)], 1
        while waiting:
            node, level = waiting.pop()
            deepest = max(deepest, level)
            if self.columns[node] != LEAF:
                waiting += [(self.left[node], level + 1), (self.right[node], level + 1)]
        return deepest

    def used(self) -> List[int]:
        """The places of the columns that it asks for."""
        return sorted({self.columns[node] for node in self.reached()} - {LEAF})


class Sum(NamedTuple):
    """A margin: a number, and what is added to it."""

    base: float
    weights: Tuple[Tuple[int, float], ...] = ()
    """Of columns, by their places."""
    trees: Tuple[Tree, ...] = ()


class Additive(NamedTuple):
    """Margins, and what becomes of them by the link: `identity`, `exp`, `logit` of one margin; `softmax` of one for
    each label; `ovr`: each a sigmoid, divided by their sum; `none`: the largest is chosen. Of two labels the margin of
    the first is 0."""

    columns: Sequence[Column]
    sums: Sequence[Sum]
    link: str
    labels: Optional[Sequence[Any]] = None


class Votes(NamedTuple):
    """The mean of what trees say: numbers, or how probable each label is."""

    columns: Sequence[Column]
    trees: Sequence[Tree]
    labels: Optional[Sequence[Any]] = None


class Centres(NamedTuple):
    """The nearest centre's place."""

    columns: Sequence[Column]
    centres: Sequence[Sequence[float]]


class Mean(NamedTuple):
    """The weighted mean of several formulas' numbers, or of their labels' probabilities."""

    parts: Sequence[Any]
    weights: Sequence[float]
    labels: Optional[Sequence[Any]] = None


Formula = Union[Additive, Votes, Centres, Mean]


class Written(NamedTuple):
    """A formula, and what its fields are called."""

    formula: Formula
    names: Sequence[str]


def fields(count: int) -> List[Column]:
    """The columns that a model is given."""
    return [Column(FIELD, (place,)) for place in range(count)]


def parts_of(formula: Formula) -> Iterator[Any]:
    """Those that are no mean of others."""
    for part in formula.parts if isinstance(formula, Mean) else (formula,):
        yield from parts_of(part) if isinstance(part, Mean) else (part,)


def trees_of(formula: Formula) -> Iterator[Tree]:
    """All trees."""
    for part in parts_of(formula):
        if isinstance(part, Votes):
            yield from part.trees
        elif isinstance(part, Additive):
            yield from (tree for each in part.sums for tree in each.trees)


def has_trees(formula: Formula) -> bool:
    """Trees are trained on float32: what they compare is rounded so."""
    return any(True for _ in trees_of(formula))


def fields_of(columns: Sequence[Column]) -> List[int]:
    """The places of the fields that columns are made of."""
    found, waiting = set(), list(columns)
    while waiting:
        column = waiting.pop()
        if column.function == FIELD:
            found.add(column.arguments[0])
        else:
            waiting += [each for each in column.arguments if isinstance(each, Column)]
    return sorted(found)


def categories_of(formula: Formula) -> Dict[int, List[float]]:
    """The values with which fields are compared: an encoder knows no others."""
    found: Dict[int, List[float]] = {}
    waiting: List[Any] = [column for part in parts_of(formula) for column in part.columns]
    seen = set()
    while waiting:
        column = waiting.pop()
        if not isinstance(column, Column) or id(column) in seen:
            continue
        seen.add(id(column))
        if column.function == "equal" and column.arguments[0].function == FIELD:
            found.setdefault(column.arguments[0].arguments[0], []).append(column.arguments[1])
        waiting += column.arguments
    return found


def narrow(threshold: float, *, strict: bool) -> float:
    """The float32 that parts float32 as the threshold does: the last one below, or with `strict` the first above."""
    with np.errstate(over="ignore"):
        found = np.float32(threshold)
    if not np.isfinite(found):
        raise Uncompilable(f"the threshold {threshold} is not a number of float32")
    if strict and float(found) < threshold:
        found = np.nextafter(found, np.float32(np.inf))
    if not strict and float(found) > threshold:
        found = np.nextafter(found, np.float32(-np.inf))
    return float(found)
