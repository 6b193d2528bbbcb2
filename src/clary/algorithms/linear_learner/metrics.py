"""How good one model is, by the names under which AWS's log has it."""

from __future__ import annotations

from typing import Any, List, Tuple

import numpy as np

from clary.algorithms.linear_learner import losses
from clary.algorithms.linear_learner.hyperparameters import BINARY, REGRESSOR, Hyperparameters
from clary.algorithms.linear_learner.thresholds import counts_at

Array = Any
"""A numpy array."""
Scores = List[Tuple[str, float]]
"""Names and values, the objective first."""

_TINY = 1e-15


def of(given: Hyperparameters, raw: Array, labels: Array, threshold: float) -> Scores:
    """`raw` are the model's scores before they become probabilities: (n,), or (n, k); labels in their own unit."""
    columns = raw[:, None] if raw.ndim == 1 else raw[:, None, :]
    loss = losses.make(given)
    objective = (f"{loss.objective}_objective", float(loss.values(columns, labels).mean()))
    if given.predictor == REGRESSOR:
        return [objective, *_of_regression(raw, labels)]
    if given.predictor == BINARY:
        return [objective, *_of_binary(given, raw, labels, threshold)]
    return [objective, *_of_classes(given, raw, labels)]


def _of_regression(predicted: Array, labels: Array) -> Scores:
    error = predicted - labels
    squared, absolute = float((error**2).mean()), float(np.abs(error).mean())
    spread = float(((labels - labels.mean()) ** 2).mean())
    return [
        ("mse", squared),
        ("absolute_loss", absolute),
        ("rmse", squared**0.5),
        ("r2", 1 - squared / spread if spread > 0 else 0.0),
        ("mae", absolute),
    ]


def _of_binary(given: Hyperparameters, raw: Array, labels: Array, threshold: float) -> Scores:
    probable = given.loss == "logistic"
    shown = losses.sigmoid(raw) if probable else raw
    counts = counts_at(shown, labels, threshold)
    recall = float(counts.recall())
    specific = 1 - float(counts.alarms) / max(counts.negatives, 1)
    found = [
        ("binary_classification_accuracy", float(counts.accuracy())),
        (f"binary_f_{given.number('f_beta'):.3f}", float(counts.f_beta(given.number("f_beta")))),
        ("precision", float(counts.precision())),
        ("recall", recall),
        ("roc_auc_score", _area(raw, labels)),
        ("binary_balanced_accuracy", (recall + specific) / 2),
    ]
    return [*found, ("binary_log_loss", float(losses.Logistic().values(raw[:, None], labels).mean()))][
        : None if probable else -1
    ]


def _area(raw: Array, labels: Array) -> float:
    """Under the receiver operating characteristic: the chance that class 1 scores higher; ties count half."""
    _, place, count = np.unique(raw, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place.ravel()]
    positives = float((labels == 1).sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return 0.5
    return float((ranks[labels == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def _of_classes(given: Hyperparameters, raw: Array, labels: Array) -> Scores:
    classes, true = raw.shape[1], labels.astype(np.int64)
    own = raw[np.arange(len(true)), true]
    rank = (raw > own[:, None]).sum(axis=1)
    said = raw.argmax(axis=1)
    hits = np.bincount(true[said == true], minlength=classes).astype(float)
    there, told = np.bincount(true, minlength=classes), np.bincount(said, minlength=classes)
    recall, precision = _ratio(hits, there), _ratio(hits, told)
    square = given.number("f_beta") ** 2
    f_beta = _ratio((1 + square) * precision * recall, square * precision + recall)
    known = there > 0
    top = given.whole("accuracy_top_k")
    return [
        ("multiclass_accuracy", float((rank == 0).mean())),
        (f"multiclass_top_k_accuracy_{top}", float((rank < top).mean())),
        ("dcg", float((1 / np.log2(rank + 2)).mean())),
        ("macro_recall", float(recall[known].mean())),
        ("macro_precision", float(precision[known].mean())),
        (f"macro_f_{given.number('f_beta'):.3f}", float(f_beta[known].mean())),
        ("multiclass_balanced_accuracy", float(recall[known].mean())),
        (
            "multiclass_log_loss",
            float(-np.log(np.maximum(losses.softmax(raw), _TINY))[np.arange(len(true)), true].mean()),
        ),
    ]


def _own_probability(raw: Array, true: Array) -> Array:
    return losses.softmax(raw)[np.arange(len(true)), true]


def _ratio(above: Array, below: Array) -> Array:
    return np.where(below > 0, above / np.where(below > 0, below, 1), 0.0)
