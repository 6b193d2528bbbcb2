"""What XGBoost's models say in the JSON that XGBoost writes of any of them
(https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html)."""

from __future__ import annotations

from typing import Any, Iterator, List, Mapping, NamedTuple, Sequence

import numpy as np

from clary.algorithms.neo.compiled import Uncompilable

Document = Mapping[str, Any]


class Tree(NamedTuple):
    """One tree as XGBoost's JSON has it; `weight` multiplies its leaves, which count for class `group`."""

    document: Document
    group: int
    weight: float


_KINDS: Mapping[str, Sequence[str]] = {
    "identity": (
        *("reg:squarederror", "reg:linear", "reg:squaredlogerror", "reg:pseudohubererror", "reg:absoluteerror"),
        *("reg:quantileerror", "binary:logitraw", "rank:pairwise", "rank:ndcg", "rank:map"),
    ),
    "sigmoid": ("binary:logistic", "reg:logistic"),
    "exp": ("count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft"),
    "hinge": ("binary:hinge",),
    "softmax": ("multi:softmax",),
    "softprob": ("multi:softprob",),
}
"""What becomes of margins, by objective (https://xgboost.readthedocs.io/en/stable/parameter.html)."""


def kind_of(learner: Document) -> str:
    """What becomes of margins. Raises Uncompilable."""
    objective = str(learner["objective"]["name"])
    kind = next((kind for kind, names in _KINDS.items() if objective in names), None)
    if kind is None:
        raise Uncompilable(f"models of the objective {objective} are not compiled")
    return kind


def groups_of(learner: Document) -> int:
    """How many margins a row has."""
    parameters = learner["learner_model_param"]
    return max(int(parameters["num_class"]), int(parameters.get("num_target", 1)), 1)


def base_margins(text: str, groups: int, kind: str) -> List[float]:
    """`base_score` as it is saved, in the space of predictions, taken back to that of margins: one for each group."""
    scores = [np.float32(part) for part in text.strip("[]").split(",")]
    margins = [float(_margin(score, kind)) for score in scores]
    return margins * groups if len(margins) == 1 else margins


def _margin(score: Any, kind: str) -> Any:  # noqa: ANN401 - numpy's float32, as XGBoost calculates it
    if kind == "sigmoid":
        return -np.log(np.float32(1) / score - np.float32(1))
    return np.log(score) if kind == "exp" else score


def trees_of(learner: Document) -> Iterator[Tree]:
    """The trees that `predict` looks at: those up to the best iteration, where training stopped early. Raises
    Uncompilable."""
    booster = learner["gradient_booster"]
    dart = booster["name"] == "dart"
    model = booster["gbtree"]["model"] if dart else booster["model"]
    best = learner.get("attributes", {}).get("best_iteration")
    ends = model["iteration_indptr"]
    count = ends[min(int(best) + 1, len(ends) - 1)] if best is not None else len(model["trees"])
    weights = booster["weight_drop"] if dart else [1.0] * len(model["trees"])
    for tree, group, weight in zip(model["trees"][:count], model["tree_info"], weights):  # noqa: B905 - Python 3.8
        if int(tree["tree_param"].get("size_leaf_vector", 0)) > 1:
            raise Uncompilable("trees whose leaves hold a value for each target are not compiled")
        if any(tree.get("split_type", ())):
            raise Uncompilable("splits by categories are not compiled")
        yield Tree(tree, group, weight)
