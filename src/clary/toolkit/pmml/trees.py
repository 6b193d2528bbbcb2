"""TreeModel (https://dmg.org/pmml/v4-4-1/TreeModel.html): rows go from node to node, all that go one way together."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from clary.toolkit.pmml.columns import DOUBLE, Column, Columns
from clary.toolkit.pmml.predicates import TAGS, Predicate, predicate
from clary.toolkit.pmml.reading import Element, Invalid
from clary.toolkit.pmml.scoring import Outcome, Target
from clary.toolkit.pmml.ways import NOWHERE, Grove, Ways, by_ids, ways

Array = Any
Kinds = Dict[str, str]
_MOST_SHARES = 50_000_000
"""Nodes times labels."""
_Told = Callable[[Array], Outcome]
_Leaves = Callable[[Columns, int], Array]
_STRATEGIES = ("none", "lastPrediction", "nullPrediction", "defaultChild")


class _Node(NamedTuple):
    ask: Predicate
    children: Tuple[int, ...]
    default: int
    """The child for what is unknown; NOWHERE where there is none."""


class TreeScore:
    """What a tree says."""

    def __init__(self, told: _Told, ways: Optional[Ways], leaves: _Leaves) -> None:
        self.told = told
        """Of the places at which rows have ended."""
        self.ways = ways
        self._leaves = leaves

    def __call__(self, columns: Columns, count: int) -> Outcome:
        """Of so many rows."""
        return self.told(self._leaves(columns, count))


def tree(element: Element, kinds: Kinds, target: Target) -> TreeScore:
    """Raises Invalid."""
    strategy = element.get("missingValueStrategy", "none")
    if strategy not in _STRATEGIES:
        raise Invalid(f"the missingValueStrategy {strategy[:40]!r} is not offered: {', '.join(_STRATEGIES)} are")
    stays = element.get("noTrueChildStrategy", "returnNullPrediction") == "returnLastPrediction"
    elements = _numbered(element.only("Node"))
    places = by_ids(elements)
    answer = _labelled if element.need("functionName") == "classification" else _numbered_scores
    told = answer(elements, target)
    plain = strategy != "lastPrediction" and not (strategy == "none" and stays)
    found = ways(elements, places, kinds, strategy) if plain else None
    if found is not None:
        grove = Grove([found])
        return TreeScore(told, found, lambda columns, count: grove.leaves(columns, count)[:, 0])
    nodes = [_node(each, places, kinds) for each in elements]
    return TreeScore(told, None, lambda columns, count: _leaves(nodes, columns, count, strategy, stays))


def _numbered(root: Element) -> List[Element]:
    """All nodes, the root first."""
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += node.all("Node")
    return found


def _node(element: Element, places: Dict[int, int], kinds: Kinds) -> _Node:
    children = list(element.all("Node"))
    named = {child.get("id"): places[id(child)] for child in children}
    default = element.get("defaultChild")
    if default and default not in named:
        raise Invalid(f"the node's defaultChild {default[:40]!r} is none of its children")
    ask = predicate(element.only(*TAGS), kinds)
    return _Node(ask, tuple(places[id(child)] for child in children), named.get(default, NOWHERE))


def _leaves(nodes: List[_Node], columns: Columns, count: int, strategy: str, stays: bool) -> Array:
    """The node at which each row has ended; NOWHERE for those without a prediction."""
    ended = np.full(count, NOWHERE)
    everything = np.arange(count)
    waiting = [(0, everything[nodes[0].ask(columns, everything).true])]
    while waiting:
        place, rows = waiting.pop()
        node = nodes[place]
        if not node.children:
            ended[rows] = place
            continue
        for child in node.children:
            if not len(rows):
                break
            truth = nodes[child].ask(columns, rows)
            if truth.true.any():
                waiting.append((child, rows[truth.true]))
            rows = rows[~truth.true]
            if strategy != "none" and truth.unknown.any():
                unknown = truth.unknown[~truth.true]
                _unknown(node, place, rows[unknown], strategy, ended, waiting)
                rows = rows[~unknown]
        if stays:
            ended[rows] = place
    return ended


def _unknown(
    node: _Node, place: int, rows: Array, strategy: str, ended: Array, waiting: List[Tuple[int, Array]]
) -> None:
    if strategy == "lastPrediction":
        ended[rows] = place
    elif strategy == "defaultChild" and node.default != NOWHERE:
        waiting.append((node.default, rows))


def _numbered_scores(nodes: List[Element], _target: Target) -> _Told:
    scores = np.asarray([each.number("score", np.nan) for each in nodes] + [np.nan])

    def told(ended: Array) -> Outcome:
        values = scores[ended]
        return Outcome(Column(DOUBLE, values, np.isnan(values)))

    return told


def _labelled(nodes: List[Element], target: Target) -> _Told:
    shares = [_shares(each) for each in nodes]
    scores = [each.attributes.get("score") for each in nodes]
    labels = target.labels(
        [*(text for each in shares for text in each), *(text for text in scores if text is not None)]
    )
    texts = labels.texts
    if not texts:
        raise Invalid("TreeModel has no label: neither a score nor a ScoreDistribution")
    if len(nodes) * len(texts) > _MOST_SHARES:
        raise Invalid(f"a tree of {len(nodes)} nodes and {len(texts)} labels is too large")
    at = {text: place for place, text in enumerate(texts)}
    distributed = any(shares)
    rows = [[each.get(text, 0.0) for text in texts] for each in shares]
    table = np.asarray([*rows, [0.0] * len(texts)])
    best = [
        at[score] if score is not None else int(np.argmax(row)) if each else NOWHERE
        for score, row, each in zip(scores, rows, shares)  # noqa: B905 - Python 3.8
    ]
    places = np.asarray([*best, NOWHERE])

    def told(ended: Array) -> Outcome:
        found = places[ended]
        value = labels.column(found, found == NOWHERE)
        if not distributed:
            return Outcome(value)
        chosen = table[ended]
        return Outcome(value, {text: chosen[:, place] for place, text in enumerate(texts)})

    return told


def _shares(node: Element) -> Dict[str, float]:
    """How probable each label is at a node."""
    counts: Dict[str, float] = {}
    said: Dict[str, float] = {}
    for each in node.all("ScoreDistribution"):
        text = each.need("value")
        counts[text] = each.number("recordCount")
        if "probability" in each.attributes:
            said[text] = each.number("probability")
    total = sum(counts.values())
    if len(said) == len(counts):
        return said
    return {text: count / total for text, count in counts.items()} if total > 0 else {}
