"""What XGBoost's models calculate, as formulas, of the JSON that XGBoost writes of them."""

from __future__ import annotations

from typing import List, Mapping

import numpy as np

from clary.algorithms.neo.compiled import Uncompilable
from clary.algorithms.neo.formulas import LEAF, NOWHERE, Additive, Sum, Tree, Written, fields
from clary.algorithms.neo.saved_boosters import Document, base_margins, groups_of, kind_of, trees_of
from clary.algorithms.neo.steps import of

_LINKS: Mapping[str, str] = {
    "identity": "identity",
    "sigmoid": "logit",
    "exp": "exp",
    "hinge": NOWHERE,
    "softmax": "softmax",
    "softprob": "softmax",
}


def written(document: Document) -> Written:
    """It gives what XGBoost's `predict` gives; classes are labels from 0 on. Raises Uncompilable."""
    learner = document["learner"]
    kind = kind_of(learner)
    groups = groups_of(learner)
    if kind == "identity" and groups > 1:
        raise Uncompilable("a model of several numbers a row is written as ONNX only")
    count = int(learner["learner_model_param"]["num_feature"])
    columns = fields(count)
    bases = base_margins(learner["learner_model_param"]["base_score"], groups, kind)
    if learner["gradient_booster"]["name"] == "gblinear":
        sums = _linear(learner["gradient_booster"]["model"]["weights"], groups, bases)
        columns = [of("instead", column, 0.0) for column in columns]
    else:
        sums = _trees(learner, bases)
    labels = list(range(max(groups, 2))) if kind in ("hinge", "softmax", "softprob") else None
    names = list(learner.get("feature_names") or ()) or [f"f{place}" for place in range(count)]
    return Written(Additive(columns, sums, _LINKS[kind], labels), names)


def _linear(weights: List[float], groups: int, bases: List[float]) -> List[Sum]:
    """The last row is the bias."""
    table = np.asarray(weights, float).reshape(-1, groups)
    return [
        Sum(base + float(table[-1, group]), tuple(enumerate(table[:-1, group].tolist())))
        for group, base in enumerate(bases)
    ]


def _trees(learner: Document, bases: List[float]) -> List[Sum]:
    trees: List[List[Tree]] = [[] for _ in bases]
    for tree in trees_of(learner):
        trees[tree.group].append(_tree(tree.document, tree.weight))
    return [Sum(base, (), tuple(each)) for base, each in zip(bases, trees)]  # noqa: B905 - Python 3.8


def _tree(document: Document, weight: float) -> Tree:
    left = document["left_children"]
    conditions = [float(np.float32(each)) for each in document["split_conditions"]]
    return Tree(
        [LEAF if left[node] < 0 else column for node, column in enumerate(document["split_indices"])],
        conditions,
        left,
        document["right_children"],
        [[float(np.float32(each) * np.float32(weight))] for each in document["split_conditions"]],
        strict=True,
        missing_left=[bool(each) for each in document["default_left"]],
    )
