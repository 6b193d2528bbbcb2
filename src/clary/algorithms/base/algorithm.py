"""The border between one algorithm and what all of them share."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, List, Mapping, Protocol, Sequence

from clary.algorithms.base import answers
from clary.algorithms.base.answers import Row
from clary.algorithms.base.channels import Rules
from clary.algorithms.base.hyperparameters import Hyperparameters
from clary.algorithms.base.job import Job
from clary.algorithms.base.schema import Kind

Array = Any
"""A numpy array, or a scipy.sparse matrix."""


class Model(Protocol):
    """A trained model, loaded."""

    @property
    def features(self) -> int:
        """How many an example has."""
        ...

    def answer(self, features: Array, parameters: Mapping[str, str]) -> Sequence[Row]:
        """One row for each example of (n, features); `parameters` are those of the wanted content type."""
        ...


class Algorithm:
    """One built-in algorithm. Subclasses say what it accepts, and do `train` and `load`."""

    title = ""
    """In the `#metrics` lines: `Linear Learner`."""
    kinds: Mapping[str, Kind] = {}
    """Its documented hyperparameters."""
    rules = Rules()
    """Its channels."""
    offered: Sequence[str] = answers.KINDS
    """The content types of its answers."""
    key = "predictions"
    """What holds the rows of an answer in JSON."""

    def parse(self, given: Mapping[str, Any]) -> Hyperparameters:
        """The checked hyperparameters; what the schema cannot say is checked by overriding. Raises ValidationError."""
        return Hyperparameters(given, self.kinds)

    def train(self, job: Job) -> None:
        """Train; the first host writes the model into `job.model`. Raises UserError or AlgorithmError."""
        raise AssertionError(f"{type(self).__name__} does not train")

    def load(self, folder: Path) -> Model:
        """The model that `train` wrote. Raises RuntimeError where there is none."""
        raise AssertionError(f"{type(self).__name__} does not load")


def named(arguments: List[str]) -> Algorithm:
    """The algorithm that a program's only argument names, `package.module:NAME`."""
    module, _, name = arguments[1].partition(":")
    found: Algorithm = getattr(importlib.import_module(module), name)
    return found
