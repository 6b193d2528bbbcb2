"""Evaluation metrics that AWS's container adds to XGBoost's own, and which of them a job prints."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import xgboost
from sklearn import metrics as sk

from clary.algorithms.xgboost.cluster import mean_over_hosts

Array = Any
"""numpy's; XGBoost and scikit-learn of old images have no types."""
Matrix = Any
"""An xgboost.DMatrix."""
Evaluation = Callable[[Array, Matrix], List[Tuple[str, float]]]
"""(predictions, matrix) → names and values."""


def _labels_of(predictions: Array, threshold: float) -> Array:
    """Classes: the greatest of several scores, or what lies above the threshold."""
    return np.argmax(predictions, axis=-1) if predictions.ndim > 1 else (predictions > threshold).astype(int)


def _on_labels(score: Callable[[Array, Array], float], predictions: Array, labels: Array, threshold: float) -> float:
    return float(score(labels, _labels_of(predictions, threshold))) if predictions.size else 0.0


def _on_values(score: Callable[[Array, Array], float], predictions: Array, labels: Array, _threshold: float) -> float:
    return float(score(labels, predictions))


def _root_mean_squared(labels: Array, values: Array) -> float:
    return float(np.sqrt(sk.mean_squared_error(labels, values)))


def _averaged(score: Callable[..., float], average: str) -> Callable[[Array, Array], float]:
    return partial(score, average=average)


_CLASSES = hasattr(xgboost.callback, "TrainingCallback")
"""XGBoost 1.3 and later; they average added metrics over the hosts that boost together, earlier ones do not."""

EVALUATION = "feval" if "feval" in inspect.signature(xgboost.train).parameters else "custom_metric"
"""The argument of xgboost.train that takes added metrics."""
_MARGINS = EVALUATION == "feval" and tuple(int(part) for part in xgboost.__version__.split(".")[:2]) >= (1, 2)
"""Whether metrics see raw margins: `feval` since 1.2; before, and as `custom_metric`, they see transformed values."""

_BUILTIN_EARLY = ("mae", "rmse")
"""Images before XGBoost 1.3 leave these to XGBoost."""

_OWN: Dict[str, Callable[[Array, Array, float], float]] = {
    "accuracy": partial(_on_labels, sk.accuracy_score),
    "balanced_accuracy": partial(_on_labels, sk.balanced_accuracy_score),
    "f1": partial(_on_labels, _averaged(sk.f1_score, "macro")),
    "f1_binary": partial(_on_labels, _averaged(sk.f1_score, "binary")),
    "f1_macro": partial(_on_labels, _averaged(sk.f1_score, "macro")),
    "mse": partial(_on_values, sk.mean_squared_error),
    "rmse": partial(_on_values, _root_mean_squared),
    "mae": partial(_on_values, sk.mean_absolute_error),
    "precision": partial(_on_labels, sk.precision_score),
    "precision_macro": partial(_on_labels, _averaged(sk.precision_score, "macro")),
    "precision_micro": partial(_on_labels, _averaged(sk.precision_score, "micro")),
    "r2": partial(_on_values, sk.r2_score),
    "recall": partial(_on_labels, sk.recall_score),
    "recall_macro": partial(_on_labels, _averaged(sk.recall_score, "macro")),
    "recall_micro": partial(_on_labels, _averaged(sk.recall_score, "micro")),
}


class Evaluated(NamedTuple):
    """What a job evaluates: XGBoost's own metrics, the added ones, and what a tuner looks at."""

    builtin: Optional[List[str]]
    added: Optional[Evaluation]
    tuned: Optional[List[str]]


def evaluated(tuning_objective: Optional[str], wanted: Optional[Sequence[str]], objective: str) -> Evaluated:
    """`validation:rmse` of a tuning job joins the metrics that the job asks for itself."""
    tuned = tuning_objective.split(":")[1].split(",") if tuning_objective else None
    union = sorted({*tuned, *wanted}) if tuned and wanted else list(tuned or wanted or [])
    added = added_names(union)
    builtin = [name for name in union if name not in added]
    return Evaluated(builtin or None, evaluation(added, objective) if added else None, tuned)


def added_names(names: Sequence[str]) -> List[str]:
    """Those that XGBoost itself does not compute, or that the container replaces."""
    return [name for name in names if name in _OWN and (_CLASSES or name not in _BUILTIN_EARLY)]


def _threshold(objective: str) -> float:
    """A binary prediction above it means class 1: 0 for margins, 0.5 for probabilities."""
    return 0.0 if _MARGINS or objective == "binary:logitraw" else 0.5


def evaluation(names: Sequence[str], objective: str) -> Evaluation:
    """The named metrics as one function for xgboost.train, averaged over the hosts that boost together."""
    threshold = _threshold(objective)

    def evaluate(predictions: Array, matrix: Matrix) -> List[Tuple[str, float]]:
        labels = matrix.get_label()
        values = np.array([_OWN[name](predictions, labels, threshold) for name in names])
        if not _CLASSES:
            values = mean_over_hosts(values)
        return [(name, float(value)) for name, value in zip(names, values)]  # noqa: B905 - Python 3.8

    return evaluate
