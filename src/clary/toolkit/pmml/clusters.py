"""ClusteringModel (https://dmg.org/pmml/v4-4-1/ClusteringModel.html): the centre that is nearest."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Tuple

import numpy as np

from clary.toolkit.pmml.columns import STRING, Columns, strings
from clary.toolkit.pmml.reading import Element, Invalid, number, words
from clary.toolkit.pmml.scoring import Outcome, Score

Array = Any
Kinds = Dict[str, str]

_Differ = Callable[[Array, Array], Array]
_COMPARES: Mapping[str, _Differ] = {
    "absDiff": lambda value, centre: np.abs(value - centre),
    "delta": lambda value, centre: (value != centre).astype(float),
    "equal": lambda value, centre: (value == centre).astype(float),
}
_METRICS: Mapping[str, Callable[[Array, Array], Array]] = {
    "euclidean": lambda apart, weights: np.sqrt((weights * apart**2).sum(axis=1)),
    "squaredEuclidean": lambda apart, weights: (weights * apart**2).sum(axis=1),
    "cityBlock": lambda apart, weights: (weights * apart).sum(axis=1),
    "chebychev": lambda apart, weights: (weights * apart).max(axis=1),
}
"""Of differences (rows, fields)."""


def clustering(element: Element, kinds: Kinds) -> Score:
    """Raises Invalid."""
    if element.need("modelClass") != "centerBased":
        raise Invalid("a ClusteringModel that is not centerBased is not offered")
    fields = [each for each in element.all("ClusteringField") if each.get("isCenterField", "true") == "true"]
    names = [_name(each, kinds) for each in fields]
    if not names:
        raise Invalid("ClusteringModel has no fields")
    weights = np.asarray([each.number("fieldWeight", 1.0) for each in fields])
    measure = element.only("ComparisonMeasure")
    metric = _metric(measure)
    differ = [_compare(each.get("compareFunction") or measure.get("compareFunction", "absDiff")) for each in fields]
    texts, centres = _centres(element, len(names))

    def score(columns: Columns, count: int) -> Outcome:
        table = np.stack([columns[name].values for name in names], axis=1)
        missing = np.any([columns[name].missing for name in names], axis=0)
        distances = []
        for centre in centres:
            apart = [one(table[:, place], centre[place]) for place, one in enumerate(differ)]
            distances.append(metric(np.stack(apart, axis=1), weights))
        nearest = np.argmin(np.where(missing, 0.0, np.stack(distances)), axis=0)
        value = strings(np.asarray(texts, object)[nearest], missing)
        return Outcome(value, distances=dict(zip(texts, distances)))  # noqa: B905 - Python 3.8

    return score


def _name(element: Element, kinds: Kinds) -> str:
    name = element.need("field")
    if kinds.get(name, STRING) == STRING:
        raise Invalid(f"ClusteringField names {name[:60]!r}, which is no field of numbers")
    return name


def _compare(name: str) -> _Differ:
    if name not in _COMPARES:
        raise Invalid(f"the compareFunction {name[:40]!r} is not offered: {', '.join(_COMPARES)} are")
    return _COMPARES[name]


def _metric(measure: Element) -> Callable[[Array, Array], Array]:
    kinds = [child.tag for child in measure.children]
    if measure.need("kind") != "distance" or len(kinds) != 1:
        raise Invalid("a ComparisonMeasure that is no distance is not offered")
    if kinds[0] == "minkowski":
        power = measure.children[0].number("p-parameter")
        return lambda apart, weights: (weights * apart**power).sum(axis=1) ** (1.0 / power)
    if kinds[0] not in _METRICS:
        raise Invalid(f"the ComparisonMeasure {kinds[0][:40]!r} is not offered: {', '.join(_METRICS)} are")
    return _METRICS[kinds[0]]


def _centres(element: Element, columns: int) -> Tuple[List[str], List[List[float]]]:
    """What each is called, and where it lies."""
    texts, centres = [], []
    for place, cluster in enumerate(element.all("Cluster"), 1):
        texts.append(cluster.attributes.get("id") or str(place))
        centres.append([number(each, "a centre") for each in words(cluster.only("Array"))])
        if len(centres[-1]) != columns:
            raise Invalid(f"the Cluster {texts[-1][:40]!r} has {len(centres[-1])} numbers for {columns} fields")
    if not texts or len(set(texts)) < len(texts):
        raise Invalid("ClusteringModel has no clusters, or two of the same id")
    return texts, centres
