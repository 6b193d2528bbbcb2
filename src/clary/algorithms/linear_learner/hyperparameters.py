"""Linear Learner's hyperparameters (https://docs.aws.amazon.com/sagemaker/latest/dg/ll_hyperparameters.html)."""

from __future__ import annotations

from typing import Any, Mapping

from clary.algorithms.base import hyperparameters as base
from clary.algorithms.base.schema import AUTO, Choice, Flag, Kind, Number, ValidationError

REGRESSOR = "regressor"
BINARY = "binary_classifier"
MULTICLASS = "multiclass_classifier"

_LOSSES = {
    REGRESSOR: (
        "squared_loss",
        "absolute_loss",
        "eps_insensitive_squared_loss",
        "eps_insensitive_absolute_loss",
        "quantile_loss",
        "huber_loss",
    ),
    BINARY: ("logistic", "hinge_loss"),
    MULTICLASS: ("softmax_loss",),
}
"""The losses of each kind of predictor; `auto` is the first."""

_CRITERIA = (
    *("accuracy", "f1", "f_beta", "precision_at_target_recall", "recall_at_target_precision"),
    *("cross_entropy_loss", "loss_function"),
)
_ON_OFF = ("true", "false")
_MAYBE = Choice(AUTO, (AUTO, *_ON_OFF))
_POSITIVE = Number(AUTO, (AUTO,), above=0)
_WEIGHT = Number(AUTO, (AUTO,), least=0)
_DECAY = Number(AUTO, (AUTO,), least=0, below=1)


def _count(default: str) -> Number:
    return Number(default, whole=True, least=1)


KINDS: Mapping[str, Kind] = {
    "predictor_type": Choice(None, tuple(_LOSSES)),
    "num_classes": Number("1", whole=True, least=1, most=1_000_000),
    "accuracy_top_k": _count("3"),
    "balance_multiclass_weights": Flag("false"),
    "beta_1": _DECAY,
    "beta_2": _DECAY,
    "bias_lr_mult": _POSITIVE,
    "bias_wd_mult": _WEIGHT,
    "binary_classifier_model_selection_criteria": Choice("accuracy", _CRITERIA),
    "early_stopping_patience": _count("3"),
    "early_stopping_tolerance": Number("0.001", above=0),
    "epochs": _count("15"),
    "f_beta": Number("1.0", above=0),
    "feature_dim": Number(AUTO, (AUTO,), whole=True, least=1),
    "huber_delta": Number("1.0", least=0),
    "init_bias": Number("0.0"),
    "init_method": Choice("uniform", ("uniform", "normal")),
    "init_scale": Number("0.07", above=0),
    "init_sigma": Number("0.01", above=0),
    "l1": _WEIGHT,
    "learning_rate": _POSITIVE,
    "loss": Choice(AUTO, (AUTO, *(name for names in _LOSSES.values() for name in names))),
    "loss_insensitivity": Number("0.01", above=0),
    "lr_scheduler_factor": Number(AUTO, (AUTO,), above=0, below=1),
    "lr_scheduler_minimum_lr": _POSITIVE,
    "lr_scheduler_step": Number(AUTO, (AUTO,), whole=True, least=1),
    "margin": Number("1.0", least=0),
    "mini_batch_size": _count("1000"),
    "momentum": _DECAY,
    "normalize_data": Choice("true", (AUTO, *_ON_OFF)),
    "normalize_label": _MAYBE,
    "num_calibration_samples": Number("10000000", (AUTO,), whole=True, least=1),
    "num_models": Number(AUTO, (AUTO,), whole=True, least=1),
    "num_point_for_scaler": _count("10000"),
    "optimizer": Choice(AUTO, (AUTO, "sgd", "adam", "rmsprop")),
    "positive_example_weight_mult": Number("1.0", (AUTO, "balanced"), above=0),
    "quantile": Number("0.5", above=0, below=1),
    "target_precision": Number("0.8", above=0, most=1),
    "target_recall": Number("0.8", above=0, most=1),
    "unbias_data": _MAYBE,
    "unbias_label": _MAYBE,
    "use_bias": Flag("true"),
    "use_lr_scheduler": Flag("true"),
    "wd": _WEIGHT,
}
"""Name → its kind, with AWS's defaults."""


class Hyperparameters(base.Hyperparameters):
    """Checked values. Raises ValidationError where one is not valid."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__(given, KINDS)
        self.predictor = self.word("predictor_type")
        _check_classes(self.predictor, self.whole("num_classes"))
        self.loss = _loss(self.predictor, self.word("loss"))


def _check_classes(predictor: str, classes: int) -> None:
    if predictor == MULTICLASS and classes < 3:
        raise ValidationError(
            f"The value '{classes}' is not valid for the 'num_classes' hyperparameter which expects one of the "
            "following: an integer between 3 and 1000000",
            f"{classes} is less than the minimum of 3",
        )


def _loss(predictor: str, loss: str) -> str:
    offered = _LOSSES[predictor]
    if loss == AUTO:
        return offered[0]
    if loss not in offered:
        listed = ", ".join(f"'{name}'" for name in (AUTO, *offered))
        raise ValidationError(
            f"The value '{loss}' is not valid for the 'loss' hyperparameter which accepts one of the following: "
            f"{listed}",
            f"'{loss}' is not one of the losses of predictor_type '{predictor}'",
        )
    return loss
