"""A job's data: which files are for training, which for validation, and what is held back where none are for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from clary.algorithms.gradient_boosting import tables
from clary.algorithms.gradient_boosting.tables import Table
from clary.toolkit.errors import UserError

_TRAINING = ("train", "training")
_VALIDATION = "validation"
_SDKS = ("model", "code", "sm_drivers")
"""Channels of the SDKs' own: what they make of a `model_uri`, SDK 3's sources. Nothing is learned from them."""
_JSON = ".json"
_ONE_IN = 5
"""20 % are held back."""
_SEED = 0

Array = Any
"""A numpy array."""


class Data(NamedTuple):
    """What a model learns from, and what it is judged by."""

    training: Table
    validation: Table
    categorical: Tuple[int, ...]
    """Features, the first is 0."""
    whole: bool
    """Whether each of several hosts has all of it."""


class _Places(NamedTuple):
    training: List[Path]
    validation: List[Path]
    described: List[Path]


def read(folder: Path, channels: Mapping[str, Mapping[str, Any]], classes: bool) -> Data:
    """All of a job's data; `folder` holds a folder for each channel. Raises UserError."""
    name = _named(channels)
    places = _found(folder, name, _VALIDATION in channels)
    categorical = tables.categorical_features(places.described)
    training = tables.read(places.training, name, categorical)
    validation = tables.read(places.validation, _VALIDATION, categorical) if places.validation else None
    if validation is not None and validation.features.shape[1] != training.features.shape[1]:
        raise UserError(
            f"Channel 'validation' has {validation.features.shape[1]} features where '{name}' has "
            f"{training.features.shape[1]}."
        )
    if validation is None:
        training, validation = _parted(training, classes)
    return Data(training, validation, categorical, _replicated(channels))


def _named(channels: Mapping[str, Any]) -> str:
    """The training channel. Raises UserError where there is not exactly one, or one that nobody knows."""
    names = [name for name in _TRAINING if name in channels]
    if len(names) != 1:
        raise UserError("The job needs a channel 'training' or 'train'.")
    unknown = sorted(set(channels) - {*_TRAINING, _VALIDATION, *_SDKS})
    if unknown:
        raise UserError(f"Channel '{unknown[0]}' is not known. The channels are {names[0]!r} and 'validation'.")
    return names[0]


def _found(folder: Path, name: str, apart: bool) -> _Places:
    """The files, where the channel holds `train/` and `validation/`, and where it holds its files itself."""
    root = folder / name
    nested = (root / _TRAINING[0]).is_dir()
    place = root / _TRAINING[0] if nested else root
    validation = folder / _VALIDATION if apart else root / _VALIDATION if nested else None
    index = sorted(path for path in {*root.glob("*" + _JSON), *place.glob("*" + _JSON)} if path.is_file())
    return _Places(_files(place), _files(validation), index)


def _files(folder: Optional[Path]) -> List[Path]:
    """Every file below that is data, in the order of their names."""
    if folder is None or not folder.is_dir():
        return []
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != _JSON)


def _parted(table: Table, classes: bool) -> Tuple[Table, Table]:
    """Four fifths, and a fifth drawn at random, of each class; the same in every job and on every host."""
    count = len(table.targets)
    if count < 2:
        raise UserError("The training data has one row only: nothing is left to validate with.")
    drawn = np.random.default_rng(_SEED).random(count)
    order = np.lexsort((drawn, table.targets)) if classes else np.argsort(drawn)
    held = np.zeros(count, dtype=bool)
    held[order[_ONE_IN - 1 :: _ONE_IN] if count >= _ONE_IN else order[-1:]] = True
    return table.taken(np.flatnonzero(~held)), table.taken(np.flatnonzero(held))


def _replicated(channels: Mapping[str, Mapping[str, Any]]) -> bool:
    return all(channel.get("S3DistributionType") != "ShardedByS3Key" for channel in channels.values())
