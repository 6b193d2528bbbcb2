"""Many linear models that learn side by side: one pass over the data serves all of them.

Shapes: `d` features, `m` candidates, `k` scores of each (1, or the number of classes).
"""

from __future__ import annotations

import math
from typing import Any, Iterator, NamedTuple, Sequence, Tuple

import numpy as np

from clary.algorithms.base.hosts import Hosts
from clary.algorithms.linear_learner import optimizers
from clary.algorithms.linear_learner.candidates import Candidate, Rates
from clary.algorithms.linear_learner.design import Design
from clary.algorithms.linear_learner.hyperparameters import Hyperparameters
from clary.algorithms.linear_learner.losses import Loss

Array = Any
"""A numpy array."""

_SEED = 20171129
_RECENT = 8
"""The larger, the fewer of the latest steps are averaged: about one in nine of all so far (Shamir and Zhang, 2013)."""
_LOOKS = 20
"""In how many batches of an epoch the training loss is measured, at most."""
_CHUNK = 1 << 22
"""Scores that are held at once when a data set is gone through."""


class Data(NamedTuple):
    """Rows to learn from, or to be measured on: features, labels (n,), and the weight of each row (n,)."""

    design: Design
    labels: Array
    weights: Array


class Learner:
    """Weights (d, m · k) and biases of all candidates."""

    def __init__(
        self, given: Hyperparameters, candidates: Sequence[Candidate], features: int, classes: int, loss: Loss
    ) -> None:
        self.candidates = list(candidates)
        self._classes = classes
        self._loss = loss
        self._bias = given.flag("use_bias")
        self._rates = Rates(candidates)
        shape = (features + 1, len(candidates) * classes)
        self._parameters = _begin(given, shape)
        self.parameters = self._parameters.copy()
        """Averages over the latest steps, by which the models are judged."""
        self._gradient = np.zeros(shape, dtype=np.float32)
        self._optimizer = optimizers.make(given, shape)
        self._l1 = self._spread([candidate.l1 for candidate in candidates])
        self._sparsens = bool(np.any(self._l1))
        self._wd = self._spread([candidate.wd for candidate in candidates])
        self._bias_wd = self._wd * np.float32(given.number_or_auto("bias_wd_mult") or 0)
        self._bias_rate = given.number_or_auto("bias_lr_mult") or 1.0
        self._positive = np.asarray([candidate.positive_weight for candidate in candidates], dtype=np.float32)
        self._weighs = bool(np.any(self._positive != 1))
        self._steps = 0

    def _spread(self, values: Sequence[float]) -> Array:
        """A value of each candidate for all of its columns."""
        return np.repeat(np.asarray(values, dtype=np.float32), self._classes)

    def epoch(self, data: Data, batch: int, steps: int, hosts: Hosts) -> Array:
        """`steps` steps over batches of `batch` rows, in their order; the mean training loss of each candidate."""
        rows = _cycle(len(data.labels), batch)
        every = math.ceil(steps / _LOOKS)
        seen = np.zeros(len(self.candidates) + 1)
        for step in range(steps):
            found = self._slopes(data, next(rows), measured=step % every == 0)
            seen += found
            self._step(hosts)
        seen = hosts.total(seen)
        return seen[:-1] / max(seen[-1], 1e-30)

    def _slopes(self, data: Data, rows: slice, *, measured: bool) -> Array:
        """Put the batch's gradient in place; the sums of its losses and, last, of its weights, where wanted."""
        labels, weights = data.labels[rows], data.weights[rows]
        scores = self._scores(data.design, rows, self._parameters)
        seen = np.zeros(len(self.candidates) + 1)
        if measured:
            seen[:-1] = weights @ self._loss.values(scores, labels)
            seen[-1] = weights.sum()
        slopes = self._loss.gradient(scores, labels).reshape(len(labels), -1)
        self._weigh(slopes, labels, weights)
        data.design.gradient(rows, slopes, self._gradient[:-1])
        self._gradient[-1] = np.ones(len(labels), dtype=np.float32) @ slopes if self._bias else 0
        self._weight = float(weights.sum())
        return seen

    def _weigh(self, slopes: Array, labels: Array, weights: Array) -> None:
        if self._classes > 1:
            slopes *= weights[:, None]
        if self._weighs:
            slopes *= np.where(labels[:, None] == 1, self._positive, np.float32(1))

    def _step(self, hosts: Hosts) -> None:
        gradient = self._gradient
        if hosts.several:
            whole = hosts.total(np.append(gradient.ravel(), np.float32(self._weight)))
            gradient[:], self._weight = whole[:-1].reshape(gradient.shape), float(whole[-1])
        gradient /= max(self._weight, 1e-30)
        gradient[:-1] += self._wd * self._parameters[:-1]
        gradient[-1] += self._bias_wd * self._parameters[-1]
        if self._sparsens:
            gradient[:-1] += self._l1 * np.sign(self._parameters[:-1])
        rates = self._spread(self._rates.at(self._steps))[None, :]
        if self._bias_rate != 1:
            rates = np.vstack([np.broadcast_to(rates, (len(gradient) - 1, rates.shape[1])), rates * self._bias_rate])
        if not self._bias:
            gradient[-1] = 0
        self._optimizer.step(self._parameters, gradient, rates)
        self._steps += 1
        np.subtract(self._parameters, self.parameters, out=gradient)
        gradient *= min(1.0, (_RECENT + 1) / (self._steps + _RECENT))
        self.parameters += gradient

    def _scores(self, design: Design, rows: slice, parameters: Array) -> Array:
        scores = design.scores(rows, parameters[:-1])
        scores += parameters[-1]
        return scores if self._classes == 1 else scores.reshape(len(scores), -1, self._classes)

    def scores(self, design: Design, parameters: Array) -> Iterator[Tuple[slice, Array]]:
        """Scores of all rows, some rows at a time."""
        rows = max(1, _CHUNK // parameters.shape[1])
        for start in range(0, design.shape[0], rows):
            chosen = slice(start, min(start + rows, design.shape[0]))
            yield chosen, self._scores(design, chosen, parameters)


def _begin(given: Hyperparameters, shape: Tuple[int, int]) -> Array:
    """First weights, as `init_method` says; always the same for the same job."""
    generator = np.random.default_rng(_SEED)
    if given.word("init_method") == "normal":
        parameters = generator.normal(0, given.number("init_sigma"), shape)
    else:
        scale = given.number("init_scale")
        parameters = generator.uniform(-scale, scale, shape)
    parameters[-1] = given.number("init_bias") if given.flag("use_bias") else 0
    return parameters.astype(np.float32)


def _cycle(rows: int, batch: int) -> Iterator[slice]:
    """Batches in the rows' order, over and over: a host with fewer rows than others begins again."""
    while True:
        for start in range(0, rows, batch):
            yield slice(start, min(start + batch, rows))
