"""Evaluation metrics that AWS's container adds to XGBoost's own, and which of them a job prints."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import xgboost
from sklearn import metrics as sk

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


_EARLY = ("accuracy", "f1", "mse", "r2")
"""Those that images before XGBoost 1.3 add."""

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


def evaluated(tuning_objective: Optional[str], wanted: Optional[Sequence[str]], threshold: float) -> Evaluated:
    """`validation:rmse` of a tuning job joins the metrics that the job asks for itself.

    A binary prediction above `threshold` means class 1: 0 for margins, 0.5 for probabilities.
    """
    tuned = tuning_objective.split(":")[1].split(",") if tuning_objective else None
    union = sorted({*tuned, *wanted}) if tuned and wanted else list(tuned or wanted or [])
    if not union:
        return Evaluated(None, None, tuned)
    known = _OWN if hasattr(xgboost.callback, "TrainingCallback") else _EARLY
    added = [name for name in union if name in known]
    builtin = [name for name in union if name not in known]
    return Evaluated(builtin or None, _evaluation(added, threshold) if added else None, tuned)


def _evaluation(names: List[str], threshold: float) -> Evaluation:
    def evaluate(predictions: Array, matrix: Matrix) -> List[Tuple[str, float]]:
        labels = matrix.get_label()
        return [(name, _OWN[name](predictions, labels, threshold)) for name in names]

    return evaluate
