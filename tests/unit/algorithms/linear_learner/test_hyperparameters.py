"""Linear Learner's hyperparameters, and how a wrong one is refused.

The sentences are those of AWS's algorithms as public sources show them: `No value(s) were specified for
'mini_batch_size' which are required hyperparameter(s) (caused by ValidationError)` (aws/sagemaker-python-sdk#132),
`Additional hyperparameters are not allowed ('augmentation type' was unexpected)`, and the form of the others from an
algorithm that AWS has published. No public source shows them for each hyperparameter of Linear Learner.
"""

import pytest

from clary.algorithms.linear_learner.hyperparameters import Hyperparameters
from clary.toolkit.errors import UserError

REGRESSOR = {"predictor_type": "regressor"}


def refused(**given):
    with pytest.raises(UserError) as error:
        Hyperparameters({**REGRESSOR, **given})
    return str(error.value)


def test_defaults_are_those_that_aws_prints():
    given = Hyperparameters(REGRESSOR)
    numbers = {"epochs": 15, "mini_batch_size": 1000, "f_beta": 1.0, "init_scale": 0.07, "init_sigma": 0.01}
    stopping = {"early_stopping_patience": 3, "early_stopping_tolerance": 0.001, "num_calibration_samples": 10_000_000}
    words = {"optimizer": "auto", "num_models": "auto", "normalize_data": "true", "use_bias": True}
    expected = {**numbers, **stopping, **words, "binary_classifier_model_selection_criteria": "accuracy"}
    assert {name: given.values[name] for name in expected} == expected


def test_the_predictors_type_is_required():
    with pytest.raises(UserError) as error:
        Hyperparameters({})
    assert str(error.value) == (
        "No value(s) were specified for 'predictor_type' which are required hyperparameter(s) (caused by "
        "ValidationError)\n\nCaused by: 'predictor_type' is a required property"
    )


def test_unknown_names_are_refused():
    assert refused(max_depth="3").startswith(
        "Additional hyperparameters are not allowed ('max_depth' was unexpected) (caused by ValidationError)"
    )
    assert "('a', 'b' were unexpected)" in refused(a="1", b="2")


def test_a_word_that_is_none_of_the_choices_is_refused():
    assert refused(optimizer="adagrad").startswith(
        "The value 'adagrad' is not valid for the 'optimizer' hyperparameter which accepts one of the following: "
        "'auto', 'sgd', 'adam', 'rmsprop' (caused by ValidationError)"
    )


def test_a_number_out_of_its_range_is_refused():
    assert refused(learning_rate="0").startswith(
        "The value '0' is not valid for the 'learning_rate' hyperparameter which expects one of the following: a "
        "string which matches the pattern '^auto$'; or a number greater than 0 (caused by ValidationError)"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "0") for name in ("epochs", "mini_batch_size", "num_models", "feature_dim", "accuracy_top_k")),
        *((name, "1.5") for name in ("epochs", "early_stopping_patience", "num_point_for_scaler", "lr_scheduler_step")),
        *((name, "-0.1") for name in ("l1", "wd", "bias_wd_mult", "huber_delta", "margin", "momentum")),
        *((name, "1") for name in ("beta_1", "beta_2", "momentum", "quantile", "lr_scheduler_factor")),
        *((name, "0") for name in ("quantile", "target_recall", "target_precision", "loss_insensitivity", "f_beta")),
        *((name, "0") for name in ("init_scale", "init_sigma", "lr_scheduler_minimum_lr", "bias_lr_mult")),
        *((name, "nan") for name in ("learning_rate", "init_bias", "positive_example_weight_mult")),
        *((name, "perhaps") for name in ("use_bias", "normalize_data", "unbias_label", "balance_multiclass_weights")),
        *((name, "best") for name in ("init_method", "loss", "binary_classifier_model_selection_criteria")),
        ("num_classes", "1000001"),
        ("num_calibration_samples", "0"),
        ("early_stopping_tolerance", "0"),
        ("use_lr_scheduler", "maybe"),
    ],
)
def test_each_is_checked(name, value):
    assert f"The value '{value}' is not valid for the '{name}' hyperparameter" in refused(**{name: value})


@pytest.mark.parametrize("name", ["l1", "wd", "learning_rate", "beta_1", "momentum", "unbias_data", "num_models"])
def test_auto_is_a_value(name):
    assert Hyperparameters({**REGRESSOR, name: "auto"}).values[name] == "auto"


def test_flags_are_read_as_the_sdks_write_them():
    assert Hyperparameters({**REGRESSOR, "use_bias": "False"}).flag("use_bias") is False
    assert Hyperparameters({**REGRESSOR, "normalize_data": "True"}).flag_or_auto("normalize_data") is True


@pytest.mark.parametrize(
    ("predictor", "loss", "other"),
    [
        ("regressor", "squared_loss", "logistic"),
        ("binary_classifier", "logistic", "huber_loss"),
        ("multiclass_classifier", "softmax_loss", "hinge_loss"),
    ],
)
def test_auto_is_the_first_loss_of_each_predictor_and_others_are_refused(predictor, loss, other):
    given = {"predictor_type": predictor, "num_classes": "5"}
    assert Hyperparameters(given).loss == loss
    with pytest.raises(UserError, match=f"The value '{other}' is not valid for the 'loss' hyperparameter"):
        Hyperparameters({**given, "loss": other})


@pytest.mark.parametrize("classes", [None, "1", "2"])
def test_several_classes_are_three_at_least(classes):
    given = {"predictor_type": "multiclass_classifier", **({"num_classes": classes} if classes else {})}
    with pytest.raises(UserError, match=r"'num_classes' hyperparameter.* between 3 and 1000000"):
        Hyperparameters(given)


def test_what_tuning_jobs_add_is_accepted():
    given = Hyperparameters({**REGRESSOR, "_tuning_objective_metric": "validation:objective_loss"})
    assert given.word("_tuning_objective_metric") == "validation:objective_loss"
