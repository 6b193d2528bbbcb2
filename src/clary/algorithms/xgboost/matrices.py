"""Training data as matrices, read the way AWS's container reads them: files by XGBoost's own readers, pipes whole.

The label is the first column of CSV and Parquet; a row's weight is the second column of CSV with `csv_weights`, and
`label:weight` in LIBSVM, which has `qid:n` after the label for ranking.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, List, NamedTuple, Optional

import numpy as np
import pyarrow  # type: ignore[import-not-found,unused-ignore]
import xgboost
from pyarrow import csv as arrow_csv  # type: ignore[import-not-found,unused-ignore]
from pyarrow import parquet  # type: ignore[import-not-found,unused-ignore]

from clary.algorithms.xgboost import channels
from clary.algorithms.xgboost.files import Files, check_format, delimiter_of, gathered
from clary.toolkit import records
from clary.toolkit.errors import UserError

Matrix = Any
"""An xgboost.DMatrix."""
Array = Any
Table = Any
"""A pyarrow.Table."""

_NO_LABELS = (
    "Got input data without labels. Please check the input data set. "
    "If training job is running on multiple instances, please switch "
    "to using single instance if number of records in the data set "
    "is less than number of workers (16 * number of instance) in the cluster."
)
_FAULTS = (xgboost.core.XGBoostError, ValueError, OSError, pyarrow.ArrowException)
_MAGIC = b"PAR1"
"""At both ends of a Parquet file."""


class Rows(NamedTuple):
    """What came through a pipe: features (rows, columns), labels and weights (rows,)."""

    features: Array
    labels: Optional[Array]
    weights: Optional[Array] = None


def read_files(files: Files, kind: str, *, weights: bool = False) -> Matrix:
    """The files as one matrix. Raises UserError."""
    check_format(files, kind)
    try:
        with gathered(files) as folder:
            matrix = _read(folder, files, kind, weights)
    except _FAULTS as error:
        raise UserError(f"Failed to load {kind} data with exception:\n{error}") from error
    return _labelled(matrix)


def _read(folder: Path, files: Files, kind: str, weights: bool) -> Matrix:
    if kind == channels.CSV:
        return _csv(folder, files, weights)
    if kind == channels.LIBSVM:
        return xgboost.DMatrix(f"{folder}?format=libsvm")
    if kind == channels.PARQUET:
        return matrix_of(_first_is_label(_plain(parquet.read_table(str(folder))), False))
    found = records.stacked([records.rows_of(path.read_bytes()) for path in files.paths])
    return xgboost.DMatrix(found.features, label=found.labels)


def _csv(folder: Path, files: Files, weights: bool) -> Matrix:
    with files.paths[0].open(encoding="utf-8", errors="ignore") as file:
        delimiter = delimiter_of(file.readline())
    query = f"format=csv&label_column=0&delimiter={delimiter}" + ("&weight_column=1" if weights else "")
    return xgboost.DMatrix(f"{folder}?{query}")


def read_pipe(pipe: Path, kind: str, *, weights: bool = False) -> Optional[Rows]:
    """Everything that comes through a pipe; None where nothing does. Raises UserError."""
    with pipe.open("rb") as stream:
        data = stream.read()
    if not data:
        return None
    try:
        if kind == channels.CSV:
            return _first_is_label(_csv_values(data), weights)
        if kind == channels.PARQUET:
            return _first_is_label(np.vstack([_plain(parquet.read_table(part)) for part in _parquets(data)]), False)
        found = records.rows_of(data)
    except _FAULTS as error:
        raise UserError(f"Failed to load {kind} data with exception:\n{error}") from error
    return Rows(found.features, found.labels)


def stacked(first: Rows, second: Rows) -> Rows:
    """Both as one data set."""
    both = records.stacked([records.Rows(part.features, part.labels) for part in (first, second)])
    weights = None
    if first.weights is not None and second.weights is not None:
        weights = np.concatenate([first.weights, second.weights])
    return Rows(both.features, both.labels, weights)


def matrix_of(rows: Rows) -> Matrix:
    """As a DMatrix. Raises UserError where no row has a label."""
    return _labelled(xgboost.DMatrix(rows.features, label=rows.labels, weight=rows.weights))


def _labelled(matrix: Matrix) -> Matrix:
    if matrix.get_label().size == 0:
        raise UserError(_NO_LABELS)
    return matrix


def _first_is_label(values: Array, weights: bool) -> Rows:
    if weights:
        return Rows(values[:, 2:], values[:, 0], values[:, 1])
    return Rows(values[:, 1:], values[:, 0])


def _plain(table: Table) -> Array:
    return table.to_pandas().to_numpy()


def _csv_values(data: bytes) -> Array:
    """No header row; what is missing is NaN."""
    delimiter = delimiter_of(data[: data.find(b"\n") + 1 or None].decode("utf-8", "ignore"))
    table = arrow_csv.read_csv(
        io.BytesIO(data),
        read_options=arrow_csv.ReadOptions(autogenerate_column_names=True),
        parse_options=arrow_csv.ParseOptions(delimiter=delimiter, quote_char=False),
    )
    return np.column_stack([column.to_numpy().astype(float) for column in table.columns])


def _parquets(data: bytes) -> List[Any]:
    """The files that a pipe brought one after the other: each begins and ends with the same four bytes."""
    starts = [0]
    position = data.find(_MAGIC * 2)
    while position >= 0:
        starts.append(position + len(_MAGIC))
        position = data.find(_MAGIC * 2, position + 2 * len(_MAGIC))
    ends = [*starts[1:], len(data)]
    return [pyarrow.BufferReader(data[start:end]) for start, end in zip(starts, ends)]  # noqa: B905 - Python 3.8
