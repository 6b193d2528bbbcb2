"""A channel's files as tables: the target in the first column, and no header
(https://docs.aws.amazon.com/sagemaker/latest/dg/lightgbm.html#InputOutput-LightGBM)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, List, NamedTuple, Sequence, Tuple

import numpy as np
import pandas as pd

from clary.toolkit.errors import UserError

Array = Any
"""A numpy array."""
Frame = Any
"""A pandas DataFrame."""

CATEGORICAL_INDEX = "categorical_index.json"
_KEY = "cat_index_list"
_LARGEST = 2**31 - 1
"""Int32.MaxValue."""


class Table(NamedTuple):
    """Examples: features (n, d), in columns `feature_0` and on, and targets (n,)."""

    features: Frame
    targets: Array

    def taken(self, rows: Array) -> Table:
        """These rows only."""
        return Table(self.features.iloc[rows].reset_index(drop=True), self.targets[rows])


def named(count: int) -> List[str]:
    """What AWS's models call their features."""
    return [f"feature_{number}" for number in range(count)]


def read(files: Sequence[Path], channel: str, categorical: Sequence[int]) -> Table:
    """All files of a channel, one below the other. Raises UserError for what nothing can be learned from."""
    parts = [part for part in (_read(path) for path in files) if part is not None]
    if not parts:
        raise UserError(f"Channel '{channel}' is empty. Verify that it contains non-empty CSV files.")
    if len({part.shape[1] for part in parts}) > 1:
        widths = sorted({part.shape[1] for part in parts})
        raise UserError(f"Channel '{channel}' has files of different widths: {widths} columns.")
    whole = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    if whole.shape[1] < 2:
        raise UserError(f"Channel '{channel}' has one column only: the target comes first, the features follow.")
    return _table(whole, channel, categorical)


def _read(path: Path) -> Frame:
    """One file's cells as numbers; None where it is empty."""
    try:
        found = pd.read_csv(str(path), header=None, low_memory=False)
    except pd.errors.EmptyDataError:
        return None
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise UserError(f"Unable to read '{path.name}' as CSV: {error}") from error
    for column in found.columns:
        if found[column].dtype.kind not in "iuf":
            raise UserError(_text_in(path, found, column))
    return found


def _text_in(path: Path, found: Frame, column: int) -> str:
    """Which cell is no number; a header's is told from others."""
    numbers = pd.to_numeric(found[column], errors="coerce")
    wrong = found.index[(numbers.isna() & found[column].notna()).to_numpy()]
    if list(wrong) == [0]:
        return f"'{path.name}' begins with a header. The CSV must not have a header record."
    row = int(wrong[0]) if len(wrong) else 0
    cell = str(found[column].iloc[row])
    return (
        f"'{path.name}' holds {cell!r} in row {row + 1}, column {column + 1}, which is no number. "
        "Categorical features have to be encoded as non-negative integers."
    )


def _table(whole: Frame, channel: str, categorical: Sequence[int]) -> Table:
    targets = whole.iloc[:, 0].to_numpy(dtype=np.float64)
    if not np.isfinite(targets).all():
        raise UserError(f"Channel '{channel}' has targets (the first column) that are no finite numbers.")
    features = whole.iloc[:, 1:]
    features.columns = named(features.shape[1])
    if not categorical:
        return Table(features, targets)
    count = features.shape[1]
    if categorical[-1] >= count:
        named_column, there = categorical[-1] + 1, count + 1
        raise UserError(
            f"{CATEGORICAL_INDEX} names column {named_column}, but channel '{channel}' has {there} columns."
        )
    columns = {features.columns[index]: _integers(features, channel, index) for index in categorical}
    return Table(features.assign(**columns), targets)


def _integers(features: Frame, channel: str, index: int) -> Array:
    """A categorical feature. Raises UserError."""
    values = features.iloc[:, index].to_numpy()
    with np.errstate(invalid="ignore"):
        fitting = np.isfinite(values) & (values >= 0) & (values < _LARGEST) & (values == np.floor(values))
    if not fitting.all():
        raise UserError(
            f"Column {index + 1} of channel '{channel}' is categorical, but holds {values[~fitting][0]!s}. "
            "Categorical features have to be encoded as non-negative integers."
        )
    return values.astype(np.int64)


def categorical_features(files: Sequence[Path]) -> Tuple[int, ...]:
    """The features (the first is 0) that `categorical_index.json` names. Raises UserError."""
    if not files:
        return ()
    if len(files) > 1:
        raise UserError(f"There is more than one JSON file: {', '.join(sorted(path.name for path in files))}.")
    try:
        columns = json.loads(files[0].read_bytes())[_KEY]
        valid = all(type(column) is int and 0 < column < _LARGEST for column in columns)
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f'{files[0].name} must be like {{"{_KEY}": [1, 2]}}: {error}') from error
    if not valid or len(set(columns)) != len(columns):
        raise UserError(f"'{_KEY}' in {files[0].name} must be a list of unique integers greater than zero.")
    return tuple(sorted(column - 1 for column in columns))
