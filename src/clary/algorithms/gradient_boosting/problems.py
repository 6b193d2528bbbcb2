"""What is to be learned: a number, or one of several classes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from clary.algorithms.gradient_boosting.channels import Data
from clary.toolkit.errors import UserError

CLASSIFICATION, REGRESSION = "classification", "regression"
_LARGEST = 2**31 - 1
_MOST_CLASSES = 10_000

Array = Any
"""A numpy array."""


class Problem(NamedTuple):
    """`classes`: labels are 0 … classes - 1; 0 for a regression."""

    classes: int

    @property
    def binary(self) -> bool:
        """Whether there are the labels 0 and 1."""
        return self.classes == 2


def found(task: str, data: Data) -> Problem:
    """By the targets. Raises UserError for those that nothing can be learned from."""
    targets = data.training.targets
    if task == REGRESSION:
        if targets.min() == targets.max():
            raise UserError(f"Every target in the training data is {targets[0]:g}. There is nothing to learn.")
        return Problem(0)
    for name, part in (("training", targets), ("validation", data.validation.targets)):
        if not _labels(part):
            raise UserError(f"The targets of the {name} data must be non-negative integers, the classes' numbers.")
    if targets.min() == targets.max():
        raise UserError(f"The training data has only one class, {targets[0]:g}. Classification needs two at least.")
    return Problem(_count(data))


def _count(data: Data) -> int:
    classes = int(data.training.targets.max()) + 1
    if classes > _MOST_CLASSES:
        raise UserError(f"The largest class is {classes - 1}. Encode the classes as a contiguous range from zero.")
    unseen = data.validation.targets[data.validation.targets >= classes]
    if len(unseen):
        raise UserError(f"The validation data has the class {unseen[0]:g}, which the training data has not.")
    return classes


def _labels(targets: Array) -> bool:
    return bool(((targets >= 0) & (targets < _LARGEST) & (targets == np.floor(targets))).all())
