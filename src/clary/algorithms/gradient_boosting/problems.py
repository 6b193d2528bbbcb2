"""What is to be learned: a number, or one of several classes."""

from __future__ import annotations

from typing import Any, NamedTuple, Tuple

import numpy as np

from clary.algorithms.base.hosts import Hosts
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


def found(task: str, data: Data, peers: Hosts) -> Problem:
    """By the targets of all hosts. Raises UserError for those that nothing can be learned from."""
    lowest, highest = _ends(data.training.targets, peers)
    if task == REGRESSION:
        if lowest == highest:
            raise UserError(f"Every target in the training data is {lowest:g}. There is nothing to learn.")
        return Problem(0)
    for name, part in (("training", data.training.targets), ("validation", data.validation.targets)):
        if not _labels(part):
            raise UserError(f"The targets of the {name} data must be non-negative integers, the classes' numbers.")
    if lowest == highest:
        raise UserError(f"The training data has only one class, {lowest:g}. Classification needs two at least.")
    return Problem(_count(highest, data.validation.targets))


def _ends(targets: Array, peers: Hosts) -> Tuple[float, float]:
    """The lowest and the highest target that any host has."""
    low, high = peers.most(np.asarray([-targets.min(), targets.max()]))
    return -float(low), float(high)


def _count(highest: float, judged: Array) -> int:
    classes = int(highest) + 1
    if classes > _MOST_CLASSES:
        raise UserError(f"The largest class is {classes - 1}. Encode the classes as a contiguous range from zero.")
    unseen = judged[judged >= classes]
    if len(unseen):
        raise UserError(f"The validation data has the class {unseen[0]:g}, which the training data has not.")
    return classes


def _labels(targets: Array) -> bool:
    return bool(((targets >= 0) & (targets < _LARGEST) & (targets == np.floor(targets))).all())
