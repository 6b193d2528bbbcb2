"""Gradient steps for a matrix of parameters whose columns are candidate models."""

from __future__ import annotations

from typing import Any, Protocol, Tuple

import numpy as np

from clary.algorithms.linear_learner.hyperparameters import Hyperparameters

Array = Any
"""A numpy array."""
Shape = Tuple[int, int]

_MOMENTUM = 0.9
_BETA_1, _BETA_2 = 0.9, 0.999
_SPREAD = 0.9
_TINY = 1e-8


class Optimizer(Protocol):
    """Changes parameters in place."""

    def step(self, parameters: Array, gradient: Array, rates: Array) -> None:
        """One step; `rates` are learning rates that broadcast over the parameters. `gradient` may be overwritten."""
        ...


class Adam:
    """Kingma and Ba, 2015 (https://arxiv.org/abs/1412.6980)."""

    def __init__(self, shape: Shape, beta_1: float, beta_2: float) -> None:
        self._beta_1, self._beta_2 = beta_1, beta_2
        self._mean = np.zeros(shape, dtype=np.float32)
        self._square = np.zeros(shape, dtype=np.float32)
        self._steps = 0

    def step(self, parameters: Array, gradient: Array, rates: Array) -> None:
        self._steps += 1
        self._mean += (1 - self._beta_1) * (gradient - self._mean)
        np.multiply(gradient, gradient, out=gradient)
        self._square += (1 - self._beta_2) * (gradient - self._square)
        np.sqrt(self._square, out=gradient)
        spread = (1 - self._beta_2**self._steps) ** 0.5
        gradient += _TINY * spread
        np.divide(self._mean, gradient, out=gradient)
        gradient *= rates * (spread / (1 - self._beta_1**self._steps))
        parameters -= gradient


class Sgd:
    """Stochastic gradient descent with momentum."""

    def __init__(self, shape: Shape, momentum: float) -> None:
        self._momentum = momentum
        self._velocity = np.zeros(shape, dtype=np.float32)

    def step(self, parameters: Array, gradient: Array, rates: Array) -> None:
        self._velocity *= self._momentum
        gradient *= rates
        self._velocity -= gradient
        parameters += self._velocity


class RmsProp:
    """Steps divided by the gradients' recent size."""

    def __init__(self, shape: Shape, momentum: float) -> None:
        self._sgd = Sgd(shape, momentum)
        self._square = np.zeros(shape, dtype=np.float32)

    def step(self, parameters: Array, gradient: Array, rates: Array) -> None:
        self._square *= _SPREAD
        self._square += (1 - _SPREAD) * gradient**2
        gradient /= np.sqrt(self._square + _TINY)
        self._sgd.step(parameters, gradient, rates)


def name_of(given: Hyperparameters) -> str:
    """The job's optimizer; `auto` is adam."""
    name = given.word("optimizer")
    return "adam" if name == "auto" else name


def make(given: Hyperparameters, shape: Shape) -> Optimizer:
    """The job's optimizer for parameters of this shape."""
    name, momentum = name_of(given), given.number_or_auto("momentum")
    if name == "adam":
        beta_1, beta_2 = given.number_or_auto("beta_1"), given.number_or_auto("beta_2")
        return Adam(shape, _BETA_1 if beta_1 is None else beta_1, _BETA_2 if beta_2 is None else beta_2)
    if name == "rmsprop":
        return RmsProp(shape, 0.0 if momentum is None else momentum)
    return Sgd(shape, _MOMENTUM if momentum is None else momentum)
