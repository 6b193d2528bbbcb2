"""Which of the candidates is the model, and after which epoch: early stopping, calibration, choice
(https://docs.aws.amazon.com/sagemaker/latest/dg/ll_how-it-works.html)."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Tuple

import numpy as np

from clary.algorithms.base.hosts import Hosts
from clary.algorithms.linear_learner import losses, thresholds
from clary.algorithms.linear_learner.design import Scale
from clary.algorithms.linear_learner.hyperparameters import BINARY, REGRESSOR, Hyperparameters
from clary.algorithms.linear_learner.learner import Learner
from clary.algorithms.linear_learner.prepared import Measured

Array = Any
"""A numpy array."""

_CALIBRATED = 10_000_000
_NEAR = 1.01
"""How many times the least loss a candidate may have that is still waited for."""
_ERRORS = 0.25
"""Standard errors of a criterion that are nothing."""
_STEPS = 10
"""Steps of an epoch that counts in full."""


class Judge:
    """Measures all candidates on one data set."""

    def __init__(self, given: Hyperparameters, learner: Learner, labels: Scale, hosts: Hosts) -> None:
        self._given = given
        self._learner = learner
        self._labels = labels
        self._hosts = hosts
        self._loss = losses.make(given)
        self.criterion = thresholds.criterion(given) if given.predictor == BINARY else ""
        """What binary classifiers are chosen by; empty where that is the loss."""
        self.natural = 0.5 if given.loss == "logistic" else 0.0
        """The threshold without calibration."""

    def losses(self, data: Measured, parameters: Array) -> Array:
        """The mean loss of each candidate (m,), infinite for those that have run away."""
        total = np.zeros(len(self._learner.candidates) + 1)
        for rows, scores in self._learner.scores(data.design, parameters):
            found = self._loss.values(self._unscaled(scores), data.labels[rows])
            total[:-1] += found.sum(axis=0, dtype=np.float64)
            total[-1] += len(found)
        total = self._hosts.total(total)
        mean = total[:-1] / max(total[-1], 1)
        return np.where(np.isfinite(mean), mean, np.inf)

    def _unscaled(self, scores: Array) -> Array:
        if self._given.predictor == REGRESSOR:
            scores *= self._labels.unit
            scores += self._labels.shift
        return scores

    def calibrated(self, data: Measured, parameters: Array) -> Tuple[Array, Array]:
        """For binary classifiers: each candidate's best threshold, and the criterion's value there (m,)."""
        scores = np.concatenate([scores for _, scores in self._learner.scores(data.design, parameters)])
        if self._given.loss == "logistic":
            losses.sigmoid(scores, out=scores)
        most = self._given.whole_or_auto("num_calibration_samples") or _CALIBRATED
        scores, labels = self._hosts.joined(scores)[:most], self._hosts.joined(data.labels)[:most]
        cuts, values = thresholds.best(np.nan_to_num(scores), labels, self.natural, self._given)
        return cuts, values


class Choice(NamedTuple):
    """The candidate that is the model, and its threshold."""

    place: int
    threshold: float


def choose(judge: Judge, data: Measured, parameters: Array) -> Choice:
    """The best candidate: by the criterion of binary classifiers, else by the loss."""
    found = judge.losses(data, parameters)
    if not judge.criterion:
        return Choice(int(found.argmin()), judge.natural)
    cuts, values = judge.calibrated(data, parameters)
    values = np.where(np.isfinite(found), values, -np.inf)
    best = np.flatnonzero(values >= values.max() - _chance(float(values.max()), len(data.labels)))
    place = int(best[found[best].argmin()])
    return Choice(place, float(cuts[place]))


def _chance(share: float, rows: int) -> float:
    """By how much a share that was counted on some rows differs for no reason: below it, the loss tells more."""
    return _ERRORS * math.sqrt(max(share * (1 - share), 0.0) / max(rows, 1)) + 1e-12


class Watch:
    """Early stopping: no more epochs after `patience` of them in which no candidate has become better by much.

    Each candidate is kept as it was after its own best epoch. Those far from the best do not hold up the end. An epoch
    of only few steps counts for less than one: a loss that falls in waves has to be waited for.
    """

    def __init__(self, given: Hyperparameters, learner: Learner, steps: int) -> None:
        self._patience = given.whole("early_stopping_patience")
        self._worth = min(1.0, steps / _STEPS)
        self._tolerance = given.number("early_stopping_tolerance")
        self._columns = learner.parameters.shape[1] // len(learner.candidates)
        self._values = self._losses = np.full(len(learner.candidates), np.inf)
        self._waited = 0.0
        self.parameters = learner.parameters.copy()
        """Every candidate's best."""

    def look(self, values: Array, losses: Array, parameters: Array) -> bool:
        """Whether this epoch has brought the best candidate so far.

        `values` (m,) are the less the better, `losses` (m,) tell among equals.
        """
        better = (values < self._values) | ((values == self._values) & (losses < self._losses))
        leads = bool(values.min() < self._values.min())
        self._waited = 0.0 if self._gains(values, losses) else self._waited + self._worth
        self._values = np.where(better, values, self._values)
        self._losses = np.where(better, losses, self._losses)
        columns = np.repeat(better, self._columns)
        self.parameters[:, columns] = parameters[:, columns]
        return leads

    def _gains(self, values: Array, losses: Array) -> bool:
        near = np.isfinite(values) & (losses <= _NEAR * losses.min())
        first = ~np.isfinite(self._values)
        before = np.where(first, 0, self._values)
        gain = (before - values) / np.maximum(np.abs(before), 1e-30)
        return bool((near & (first | (gain > self._tolerance))).any())

    @property
    def over(self) -> bool:
        """Whether it has been patient enough."""
        return self._waited >= self._patience
