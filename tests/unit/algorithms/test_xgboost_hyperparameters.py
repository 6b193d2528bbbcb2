"""XGBoost's hyperparameters: what is accepted, and AWS's words for what is not."""

import pytest

from clary.algorithms.xgboost.hyperparameters import validate
from clary.toolkit.errors import UserError


def test_values_are_parsed_and_aliases_resolved():
    assert validate(
        {"num_round": "10", "learning_rate": "0.1", "reg_lambda": "2", "eval_metric": "rmse,mae", "silent": "0"}
    ) == {"num_round": 10, "eta": 0.1, "lambda": 2.0, "eval_metric": ["rmse", "mae"]}


def test_constraints_are_read_and_never_run():
    found = validate(
        {
            "num_round": "1",
            "tree_method": "hist",
            "monotone_constraints": "(1, 0, -1)",
            "interaction_constraints": "[[1, 2], [3]]",
        }
    )
    assert found["monotone_constraints"] == (1, 0, -1)
    assert found["interaction_constraints"] == [[1, 2], [3]]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Missing required hyperparameter: num_round"),
        ({"num_round": "0"}, r"Hyperparameter num_round: 0 is not in \[1, \+inf\)"),
        ({"num_round": "many"}, "Hyperparameter num_round: could not parse value"),
        ({"num_round": "1", "eta": "1.5"}, r"Hyperparameter eta: 1.5 is not in \[0, 1\]"),
        ({"num_round": "1", "subsample": "0"}, r"Hyperparameter subsample: 0.0 is not in \(0, 1\]"),
        ({"num_round": "1", "foo": "1"}, "Extraneous hyperparameter found: foo"),
        ({"num_round": "1", "booster": "tree"}, "Hyperparameter booster: tree is not in"),
        ({"num_round": "1", "eval_metric": "rmse,foo"}, "Hyperparameter eval_metric: value .*foo.* not in range"),
        ({"num_round": "1", "objective": "multi:softmax"}, "Require input for parameter 'num_class'"),
        (
            {"num_round": "1", "objective": "reg:squarederror", "eval_metric": "auc"},
            "Metric 'auc' can only be applied for classification and ranking problems.",
        ),
        ({"num_round": "1", "eval_metric": "rmse@3"}, "Metric 'rmse@3' is not supported"),
        ({"num_round": "1", "eval_metric": "error@x"}, "Threshold value 't' in 'error@t' expects float input."),
        ({"num_round": "1", "monotone_constraints": "(1,)"}, "monotone_constraints can be used only when"),
        (
            {"num_round": "1", "tree_method": "hist", "monotone_constraints": "__import__('os').getpid()"},
            "could not parse value",
        ),
        ({"num_round": "1", "tree_method": "hist", "monotone_constraints": "(2,)"}, "not in range"),
        ({"num_round": "1", "booster": "gblinear", "updater": "prune"}, "Linear updater should be one of"),
        ({"num_round": "1", "process_type": "update", "updater": "sync"}, "process_type 'update' can only be used"),
        ({"num_round": "1", "updater": "grow_colmaker,grow_histmaker"}, "Only one tree grow plugin can be selected"),
        ({"num_round": "1", "_tuning_objective_metric": "validation:foo"}, "_tuning_objective_metric: validation:foo"),
    ],
)
def test_what_is_wrong_is_said_in_awss_words(given, message):
    with pytest.raises(UserError, match=message):
        validate(given)
