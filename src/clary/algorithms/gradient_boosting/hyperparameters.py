"""What LightGBM's and CatBoost's pages document
(https://docs.aws.amazon.com/sagemaker/latest/dg/lightgbm-hyperparameters.html, …/catboost-hyperparameters.html).

Upper ends that the pages leave out (a `learning_rate` of 1) are taken: AWS's own notebooks tune over them.
"""

from __future__ import annotations

import logging
from typing import Any, Mapping

from clary.algorithms.base.hyperparameters import COMMON, Hyperparameters
from clary.algorithms.base.schema import AUTO, Choice, Flag, Kind, Number, Text, ValidationError

logger = logging.getLogger(__name__)

METRICS = (
    *("auto", "rmse", "l1", "l2", "huber", "fair", "binary_logloss", "binary_error", "auc", "average_precision"),
    *("multi_logloss", "multi_error", "auc_mu", "cross_entropy"),
)

LIGHTGBM: Mapping[str, Kind] = {
    "num_boost_round": Number("100", whole=True, least=1),
    "early_stopping_rounds": Number("10", whole=True),
    "metric": Choice(AUTO, METRICS),
    "learning_rate": Number("0.1", above=0.0, most=1.0),
    "num_leaves": Number("64", whole=True, above=1, most=131072),
    "feature_fraction": Number("0.9", above=0.0, most=1.0),
    "bagging_fraction": Number("0.9", above=0.0, most=1.0),
    "bagging_freq": Number("1", whole=True, least=0),
    "max_depth": Number("6", whole=True),
    "min_data_in_leaf": Number("3", whole=True, least=0),
    "max_delta_step": Number("0.0"),
    "lambda_l1": Number("0.0", least=0.0),
    "lambda_l2": Number("0.0", least=0.0),
    "boosting": Choice("gbdt", ("gbdt", "rf", "dart", "goss")),
    "min_gain_to_split": Number("0.0", least=0.0),
    "scale_pos_weight": Number("1.0", above=0.0),
    "tree_learner": Choice("serial", ("serial", "feature", "data", "voting")),
    "feature_fraction_bynode": Number("1.0", above=0.0, most=1.0),
    "is_unbalance": Flag("False"),
    "max_bin": Number("255", whole=True, above=1),
    "tweedie_variance_power": Number("1.5", least=1.0, below=2.0),
    "num_threads": Number("0", whole=True, least=0),
    "verbosity": Number("1", whole=True),
    "use_dask": Flag("False"),
}

SPELLING: Mapping[str, str] = {
    word.lower(): word
    for word in ("PerTree", "PerTreeLevel", "Auto", "Ordered", "Plain", "SymmetricTree", "Depthwise", "Lossguide")
}
"""CatBoost's words, which it wants as they are; a `Choice` knows them in small letters."""


def _words(default: str, *others: str) -> Choice:
    return Choice(default, tuple(word.lower() for word in (default, *others)))


CATBOOST: Mapping[str, Kind] = {
    "iterations": Number("500", whole=True, least=1),
    "early_stopping_rounds": Number("5", whole=True),
    "eval_metric": Text(AUTO),
    "learning_rate": Number("0.009", above=0.0, most=1.0),
    "depth": Number("6", whole=True, least=1, most=16),
    "l2_leaf_reg": Number("3", whole=True, least=0),
    "random_strength": Number("1.0", least=0.0),
    "max_leaves": Number("31", whole=True, least=2, most=64),
    "rsm": Number("1.0", above=0.0, most=1.0),
    "sampling_frequency": _words("PerTreeLevel", "PerTree"),
    "min_data_in_leaf": Number("1", whole=True, least=1),
    "bagging_temperature": Number("1.0", least=0.0),
    "boosting_type": _words("Auto", "Ordered", "Plain"),
    "scale_pos_weight": Number("1.0", above=0.0),
    "max_bin": Number("Auto", (AUTO,), whole=True, least=1, most=65535),
    "grow_policy": _words("SymmetricTree", "Depthwise", "Lossguide"),
    "random_seed": Number("1", whole=True, least=0),
    "thread_count": Number("-1", whole=True, least=-1),
    "verbose": Number("1", whole=True, least=1),
}


def lightgbm(given: Mapping[str, Any]) -> Hyperparameters:
    """Checked. Raises ValidationError."""
    checked = Hyperparameters(_known(given, LIGHTGBM), LIGHTGBM)
    if checked.flag("is_unbalance") and checked.number("scale_pos_weight") != 1:
        raise ValidationError(
            "The hyperparameters 'is_unbalance' and 'scale_pos_weight' cannot be used together",
            "scale_pos_weight cannot be used if is_unbalance is set to 'True'",
        )
    return checked


def catboost(given: Mapping[str, Any]) -> Hyperparameters:
    """Checked. Raises ValidationError."""
    checked = Hyperparameters(_known(given, CATBOOST), CATBOOST)
    if checked.word("boosting_type") == "ordered" and checked.word("grow_policy") != "symmetrictree":
        raise ValidationError(
            "The hyperparameter 'boosting_type' can be 'Ordered' with the 'grow_policy' 'SymmetricTree' only",
            "Ordered boosting is not supported for nonsymmetric trees",
        )
    return checked


def _known(given: Mapping[str, Any], kinds: Mapping[str, Kind]) -> Mapping[str, Any]:
    """AWS's scripts pass over what they do not know, without a word; here it is said."""
    unknown = sorted(set(given) - {*kinds, *COMMON})
    if unknown:
        logger.warning("Hyperparameters that this algorithm does not know, without effect: %s", ", ".join(unknown))
    return {name: value for name, value in given.items() if name not in unknown}
