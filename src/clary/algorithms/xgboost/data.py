"""What one host has to train on: its `train` and `validation` channels, from files or from pipes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, Optional

from clary.algorithms.xgboost import channels, matrices
from clary.algorithms.xgboost.files import Files, files_in, joined, warn_of_copies
from clary.toolkit.environment import TrainingEnvironment

Matrix = Any
"""An xgboost.DMatrix."""


class Data(NamedTuple):
    """Matrices of one host; None where its share has no data. `whole` is both channels, for cross validation."""

    train: Optional[Matrix]
    validation: Optional[Matrix]
    whole: Optional[Matrix]


def read(environment: TrainingEnvironment, *, weights: bool, combine: bool) -> Data:
    """Raises UserError where data cannot be read."""
    channel = environment.channels["train"]
    kind = channels.kind_of(channel.get("ContentType"))
    if channels.is_pipe(channel):
        return _from_pipes(environment, kind, weights, combine)
    return _from_files(environment, kind, weights, combine)


def _from_files(environment: TrainingEnvironment, kind: str, weights: bool, combine: bool) -> Data:
    folder = environment.layout.data
    nothing = Files([], 0)
    train = files_in(folder / "train")
    validation = files_in(folder / "validation") if "validation" in environment.channels else nothing
    warn_of_copies(train, validation)

    def matrix(files: Files) -> Optional[Matrix]:
        return matrices.read_files(files, kind, weights=weights) if files.size else None

    first, second = matrix(train), matrix(validation)
    both = combine and first is not None and second is not None
    return Data(first, second, matrix(joined(train, validation)) if both else first)


def _from_pipes(environment: TrainingEnvironment, kind: str, weights: bool, combine: bool) -> Data:
    def rows(name: str) -> Optional[matrices.Rows]:
        if name not in environment.channels:
            return None
        return matrices.read_pipe(first_pipe(environment.layout.data, name), kind, weights=weights)

    def matrix(found: Optional[matrices.Rows]) -> Optional[Matrix]:
        return None if found is None else matrices.matrix_of(found)

    train, validation = rows("train"), rows("validation")
    first, second = matrix(train), matrix(validation)
    if not combine or train is None or validation is None:
        return Data(first, second, first)
    return Data(first, second, matrix(matrices.stacked(train, validation)))


def first_pipe(folder: Path, channel: str) -> Path:
    """The pipe of a channel's first epoch."""
    return folder / f"{channel}_0"
