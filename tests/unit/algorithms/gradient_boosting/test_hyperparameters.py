"""Documented hyperparameters: all of them, their defaults, and what they become."""

import pytest

from clary.algorithms.base.schema import Choice, ValidationError
from clary.algorithms.gradient_boosting import hyperparameters

LIGHTGBM = {
    "num_boost_round": 100,
    "early_stopping_rounds": 10,
    "metric": "auto",
    "learning_rate": 0.1,
    "num_leaves": 64,
    "feature_fraction": 0.9,
    "bagging_fraction": 0.9,
    "bagging_freq": 1,
    "max_depth": 6,
    "min_data_in_leaf": 3,
    "max_delta_step": 0.0,
    "lambda_l1": 0.0,
    "lambda_l2": 0.0,
    "boosting": "gbdt",
    "min_gain_to_split": 0.0,
    "scale_pos_weight": 1.0,
    "tree_learner": "serial",
    "feature_fraction_bynode": 1.0,
    "is_unbalance": False,
    "max_bin": 255,
    "tweedie_variance_power": 1.5,
    "num_threads": 0,
    "verbosity": 1,
}
CATBOOST = {
    "iterations": 500,
    "early_stopping_rounds": 5,
    "learning_rate": 0.009,
    "depth": 6,
    "l2_leaf_reg": 3,
    "random_strength": 1.0,
}


def test_defaults_are_those_of_awss_pages():
    """https://docs.aws.amazon.com/sagemaker/latest/dg/lightgbm-hyperparameters.html and …/catboost-…."""
    assert {name: hyperparameters.lightgbm({}).values[name] for name in LIGHTGBM} == LIGHTGBM
    assert {name: hyperparameters.catboost({}).values[name] for name in CATBOOST} == CATBOOST


@pytest.mark.parametrize(
    "given",
    [
        {"num_boost_round": "0"},
        {"learning_rate": "1.1"},
        {"num_leaves": "1"},
        {"num_leaves": "131073"},
        {"feature_fraction": "0"},
        {"bagging_fraction": "2"},
        {"bagging_freq": "-1"},
        {"min_data_in_leaf": "-1"},
        {"lambda_l1": "-0.1"},
        {"scale_pos_weight": "0"},
        {"max_bin": "1"},
        {"tweedie_variance_power": "2"},
        {"num_threads": "-1"},
        {"is_unbalance": "maybe"},
        {"num_boost_round": "ten"},
        {"learning_rate": "nan"},
    ],
    ids=lambda given: "=".join(*given.items()),
)
def test_values_outside_their_range(given):
    with pytest.raises(ValidationError) as error:
        hyperparameters.lightgbm(given)
    assert next(iter(given)) in str(error.value)


def test_ranges_of_awss_notebooks_are_taken_to_their_ends():
    """Amazon_Tabular_Classification_LightGBM_CatBoost.ipynb tunes learning_rate and fractions up to 1."""
    hyperparameters.lightgbm({"learning_rate": "1", "feature_fraction": "1", "bagging_fraction": "1"})
    hyperparameters.catboost({"learning_rate": "1e-05", "depth": "1", "random_strength": "10"})


def test_words_in_catboosts_own_spelling():
    assert hyperparameters.catboost({"grow_policy": "Lossguide"}).word("grow_policy") == "lossguide"
    choices = [kind for kind in hyperparameters.CATBOOST.values() if isinstance(kind, Choice)]
    assert {word for kind in choices for word in kind.words} == set(hyperparameters.SPELLING)
