"""Loss functions over the scores of many candidate models at once.

Shapes: `n` examples, `m` candidates, `k` classes. Scores are (n, m), or (n, m, k) for several classes; labels (n,).
"""

from __future__ import annotations

from typing import Any, Callable, Mapping, Protocol

import numpy as np

from clary.algorithms.linear_learner.hyperparameters import Hyperparameters

Array = Any
"""A numpy array."""


class Loss(Protocol):
    """What is minimised."""

    objective: str
    """Its name in the log, without `_objective`."""

    def values(self, scores: Array, labels: Array) -> Array:
        """Each example's loss under each candidate: (n, m)."""
        ...

    def gradient(self, scores: Array, labels: Array) -> Array:
        """The loss's derivative by the scores, in their shape; may overwrite them."""
        ...


class Squared:
    """The squared error; it is learned as its half, as everywhere."""

    objective = "mse"

    def values(self, scores: Array, labels: Array) -> Array:
        return (scores - labels[:, None]) ** 2

    def gradient(self, scores: Array, labels: Array) -> Array:
        scores -= labels[:, None]
        return scores


class Absolute:
    """The absolute error."""

    objective = "absolute_loss"

    def values(self, scores: Array, labels: Array) -> Array:
        return np.abs(scores - labels[:, None])

    def gradient(self, scores: Array, labels: Array) -> Array:
        return np.sign(scores - labels[:, None])


class Insensitive:
    """An absolute or squared error (learned as its half) beyond `epsilon`; nothing within."""

    def __init__(self, epsilon: float, *, squared: bool) -> None:
        self.objective = "eps_insensitive_squared_loss" if squared else "eps_insensitive_absolute_loss"
        self._epsilon = epsilon
        self._squared = squared

    def values(self, scores: Array, labels: Array) -> Array:
        beyond = np.maximum(np.abs(scores - labels[:, None]) - self._epsilon, 0)
        return beyond**2 if self._squared else beyond

    def gradient(self, scores: Array, labels: Array) -> Array:
        error = scores - labels[:, None]
        beyond = np.maximum(np.abs(error) - self._epsilon, 0)
        return np.sign(error) * (beyond if self._squared else beyond > 0)


class Quantile:
    """The pinball loss: predictions lie below the label with probability 1 - `quantile`."""

    objective = "quantile_loss"

    def __init__(self, quantile: float) -> None:
        self._quantile = quantile

    def values(self, scores: Array, labels: Array) -> Array:
        short = labels[:, None] - scores
        return np.maximum(self._quantile * short, (self._quantile - 1) * short)

    def gradient(self, scores: Array, labels: Array) -> Array:
        return (scores > labels[:, None]) - scores.dtype.type(self._quantile)


class Huber:
    """Half the squared error up to `delta`, linear beyond."""

    objective = "huber_loss"

    def __init__(self, delta: float) -> None:
        self._delta = delta

    def values(self, scores: Array, labels: Array) -> Array:
        size = np.abs(scores - labels[:, None])
        return np.where(size <= self._delta, size**2 / 2, self._delta * (size - self._delta / 2))

    def gradient(self, scores: Array, labels: Array) -> Array:
        scores -= labels[:, None]
        return np.clip(scores, -self._delta, self._delta, out=scores)


class Logistic:
    """Cross entropy of two classes; labels are 0 and 1."""

    objective = "binary_classification_cross_entropy"

    def values(self, scores: Array, labels: Array) -> Array:
        found = np.exp(-np.abs(scores))
        np.log1p(found, out=found)
        found += np.maximum(scores, 0)
        found -= labels[:, None] * scores
        return found

    def gradient(self, scores: Array, labels: Array) -> Array:
        sigmoid(scores, out=scores)
        scores -= labels[:, None]
        return scores


class Hinge:
    """The support vector classifier's loss; labels are 0 and 1."""

    objective = "hinge_loss"

    def __init__(self, margin: float) -> None:
        self._margin = margin

    def values(self, scores: Array, labels: Array) -> Array:
        return np.maximum(self._margin - _signs(labels, scores) * scores, 0)

    def gradient(self, scores: Array, labels: Array) -> Array:
        signs = _signs(labels, scores)
        return -signs * (signs * scores < self._margin)


class Softmax:
    """Cross entropy of several classes; labels are 0 … k - 1."""

    objective = "multiclass_cross_entropy"

    def values(self, scores: Array, labels: Array) -> Array:
        top = scores.max(axis=2)
        total = np.log(np.exp(scores - top[:, :, None]).sum(axis=2)) + top
        return total - _of_class(scores, labels)

    def gradient(self, scores: Array, labels: Array) -> Array:
        softmax(scores, out=scores)
        scores[np.arange(len(labels)), :, labels.astype(np.int64)] -= 1
        return scores


def sigmoid(scores: Array, out: Array = None) -> Array:
    """Probabilities of class 1; without overflow for any score."""
    half = np.multiply(scores, 0.5, out=out)
    np.tanh(half, out=half)
    half += 1
    half *= 0.5
    return half


def softmax(scores: Array, out: Array = None) -> Array:
    """Probabilities of the classes: the last axis."""
    shifted = np.subtract(scores, scores.max(axis=-1, keepdims=True), out=out)
    np.exp(shifted, out=shifted)
    shifted /= shifted.sum(axis=-1, keepdims=True)
    return shifted


def _signs(labels: Array, scores: Array) -> Array:
    return (2 * labels[:, None] - 1).astype(scores.dtype)


def _of_class(scores: Array, labels: Array) -> Array:
    return scores[np.arange(len(labels)), :, labels.astype(np.int64)]


_MAKERS: Mapping[str, Callable[[Hyperparameters, float], Loss]] = {
    "squared_loss": lambda _given, _unit: Squared(),
    "absolute_loss": lambda _given, _unit: Absolute(),
    "eps_insensitive_squared_loss": lambda given, unit: Insensitive(
        given.number("loss_insensitivity") / unit, squared=True
    ),
    "eps_insensitive_absolute_loss": lambda given, unit: Insensitive(
        given.number("loss_insensitivity") / unit, squared=False
    ),
    "quantile_loss": lambda given, _unit: Quantile(given.number("quantile")),
    "huber_loss": lambda given, unit: Huber(given.number("huber_delta") / unit),
    "logistic": lambda _given, _unit: Logistic(),
    "hinge_loss": lambda given, _unit: Hinge(given.number("margin")),
    "softmax_loss": lambda _given, _unit: Softmax(),
}


def make(given: Hyperparameters, unit: float = 1.0) -> Loss:
    """The job's loss. `unit` is what the labels were divided by: thresholds are meant in the labels' own unit."""
    return _MAKERS[given.loss](given, unit)
