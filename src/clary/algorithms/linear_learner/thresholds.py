"""Where the scores of class 0 end and those of class 1 begin, for many candidates at once."""

from __future__ import annotations

from typing import Any, Callable, Mapping, NamedTuple, Tuple

import numpy as np

from clary.algorithms.linear_learner.hyperparameters import Hyperparameters

Array = Any
"""A numpy array."""


class Counts(NamedTuple):
    """For each threshold and candidate: how many of class 1, and how many of class 0, lie above it."""

    hits: Array
    alarms: Array
    positives: float
    negatives: float

    def accuracy(self) -> Array:
        """The share of right answers."""
        return (self.hits + self.negatives - self.alarms) / max(self.positives + self.negatives, 1)

    def precision(self) -> Array:
        """The share of class 1 among those said to be; 1 where none is."""
        said = self.hits + self.alarms
        return np.where(said > 0, self.hits / np.maximum(said, 1), 1.0)

    def recall(self) -> Array:
        """The share of class 1 that is found."""
        return self.hits / max(self.positives, 1)

    def f_beta(self, beta: float) -> Array:
        """The weighted harmonic mean of both."""
        square = beta * beta
        below = square * self.positives + self.hits + self.alarms
        return (1 + square) * self.hits / np.maximum(below, 1e-12)


def _precision_at_recall(counts: Counts, target: float) -> Array:
    return np.where(counts.recall() >= target, counts.precision(), -1.0)


def _recall_at_precision(counts: Counts, target: float) -> Array:
    """Where no threshold is precise enough, the most precise one."""
    precision = counts.precision()
    return np.where((precision >= target) & (counts.hits > 0), counts.recall(), precision - 2.0)


Criterion = Callable[[Counts, Hyperparameters], Array]

_CRITERIA: Mapping[str, Criterion] = {
    "accuracy": lambda counts, _given: counts.accuracy(),
    "f1": lambda counts, _given: counts.f_beta(1.0),
    "f_beta": lambda counts, given: counts.f_beta(given.number("f_beta")),
    "precision_at_target_recall": lambda counts, given: _precision_at_recall(counts, given.number("target_recall")),
    "recall_at_target_precision": lambda counts, given: _recall_at_precision(counts, given.number("target_precision")),
}


def criterion(given: Hyperparameters) -> str:
    """What the best binary classifier is chosen by; empty where that is the loss."""
    name = given.word("binary_classifier_model_selection_criteria")
    return name if name in _CRITERIA else ""


def best(scores: Array, labels: Array, natural: float, given: Hyperparameters) -> Tuple[Array, Array]:
    """For each candidate (columns of `scores`, (n, m)): the best threshold, and the criterion's value there.

    Among equals the one nearest to `natural` is taken.
    """
    falling = np.ascontiguousarray(-scores.T)
    order = falling.argsort(axis=1)
    ranked = -np.take_along_axis(falling, order, axis=1).T
    order = order.T
    counts = _counts(labels[order] == 1)
    values = _CRITERIA[criterion(given)](counts, given)
    cuts = _cuts(ranked)
    values[1:-1][ranked[:-1] == ranked[1:]] = -np.inf
    top = values.max(axis=0)
    distance = np.where(values >= top - 1e-12, np.abs(cuts - natural), np.inf)
    chosen = distance.argmin(axis=0)
    return cuts[chosen, np.arange(cuts.shape[1])], top


def _counts(positive: Array) -> Counts:
    """Of labels in the order of falling scores; row 0 is the threshold above all of them."""
    none = np.zeros((1, positive.shape[1]))
    hits = np.concatenate([none, positive.cumsum(axis=0)])
    alarms = np.arange(len(hits))[:, None] - hits
    return Counts(hits, alarms, float(hits[-1, 0]), float(alarms[-1, 0]))


def _cuts(ranked: Array) -> Array:
    """Thresholds between falling scores, above the first and below the last of them."""
    edge = 1e-6 * np.maximum(np.abs(ranked[[0, -1]]), 1)
    return np.concatenate([ranked[:1] + edge[:1], (ranked[:-1] + ranked[1:]) / 2, ranked[-1:] - edge[1:]])


def counts_at(scores: Array, labels: Array, threshold: float) -> Counts:
    """Of one model (n,), at one threshold."""
    said, true = scores >= threshold, labels == 1
    hits, alarms = float((said & true).sum()), float((said & ~true).sum())
    return Counts(np.asarray(hits), np.asarray(alarms), float(true.sum()), float((~true).sum()))
