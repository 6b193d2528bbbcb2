"""The ranges that AWS's tuning page of each built-in algorithm recommends, as ParameterRanges.

An algorithm is an entry of `ALGORITHMS` for each repository of its images. Pages:
https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost-tuning.html and its sisters. What a page does not name is not
tuned by Autotune.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

Kind = Literal["Integer", "Continuous", "Categorical"]
Ranges = Mapping[str, tuple[Kind, tuple[str, ...]]]
"""By hyperparameter: its kind, with least and most, or with its values."""


def _integers(**ranges: tuple[int, int]) -> Ranges:
    return {name: ("Integer", (str(low), str(high))) for name, (low, high) in ranges.items()}


def _continuous(**ranges: tuple[float, float]) -> Ranges:
    return {name: ("Continuous", (str(low), str(high))) for name, (low, high) in ranges.items()}


def _categorical(**values: tuple[str, ...]) -> Ranges:
    return {name: ("Categorical", choices) for name, choices in values.items()}


XGBOOST = {
    **_continuous(alpha=(0, 1000), colsample_bylevel=(0.1, 1), colsample_bynode=(0.1, 1), colsample_bytree=(0.5, 1)),
    **_continuous(eta=(0.1, 0.5), gamma=(0, 5), min_child_weight=(0, 120), subsample=(0.5, 1)),
    **_continuous(**{"lambda": (0, 1000)}),
    **_integers(max_delta_step=(0, 10), max_depth=(0, 10), num_round=(1, 4000)),
}

LINEAR_LEARNER = {
    **_continuous(wd=(1e-7, 1), l1=(1e-7, 1), learning_rate=(1e-5, 1), positive_example_weight_mult=(1e-5, 1e5)),
    **_integers(mini_batch_size=(100, 5000)),
    **_categorical(use_bias=("True", "False")),
}

K_MEANS = {
    **_integers(epochs=(1, 10), extra_center_factor=(4, 10), mini_batch_size=(3000, 15000)),
    **_categorical(init_method=("kmeans++", "random")),
}

K_NN = _integers(k=(1, 1024), sample_size=(256, 20_000_000))

RANDOM_CUT_FOREST = _integers(num_samples_per_tree=(1, 2048), num_trees=(50, 1000))

_WIDE = (1e-8, 512)
FACTORIZATION_MACHINES = {
    **_continuous(bias_lr=_WIDE, bias_wd=_WIDE, factors_lr=_WIDE, factors_wd=_WIDE, linear_lr=_WIDE, linear_wd=_WIDE),
    **_integers(epochs=(1, 1000), mini_batch_size=(100, 10_000)),
}
"""Without those that only one method of initialization reads."""

LIGHTGBM = {
    **_continuous(learning_rate=(0.001, 0.01), feature_fraction=(0.1, 1), bagging_fraction=(0.1, 1)),
    **_integers(num_leaves=(10, 100), bagging_freq=(0, 10), max_depth=(15, 100), min_data_in_leaf=(10, 200)),
}

CATBOOST = {
    **_continuous(learning_rate=(0.001, 0.01), random_strength=(0, 10)),
    **_integers(depth=(4, 10), l2_leaf_reg=(2, 10)),
}

ALGORITHMS: Mapping[str, Ranges] = {
    "sagemaker-xgboost": XGBOOST,
    "xgboost": XGBOOST,
    "linear-learner": LINEAR_LEARNER,
    "kmeans": K_MEANS,
    "knn": K_NN,
    "randomcutforest": RANDOM_CUT_FOREST,
    "factorization-machines": FACTORIZATION_MACHINES,
    "pca": {},
    "jumpstart-lightgbm": LIGHTGBM,
    "jumpstart-catboost": CATBOOST,
}


def recommended(image: str) -> Ranges | None:
    """By the image's URI; None where it is no built-in algorithm's."""
    return ALGORITHMS.get(image.rpartition("/")[2].partition(":")[0].partition("@")[0])


def parameter_ranges(ranges: Iterable[tuple[str, tuple[Kind, tuple[str, ...]]]]) -> dict[str, list[dict[str, Any]]]:
    """As ParameterRanges."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, (kind, values) in ranges:
        each: dict[str, Any] = {"Name": name}
        if kind == "Categorical":
            each["Values"] = list(values)
        else:
            each |= {"MinValue": values[0], "MaxValue": values[1], "ScalingType": "Auto"}
        found.setdefault(f"{kind}ParameterRanges", []).append(each)
    return found
