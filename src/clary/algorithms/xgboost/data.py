"""Training data: channels checked, files found, matrices read the way AWS's container reads them."""

from __future__ import annotations

import contextlib
import csv
import logging
import os
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np
import xgboost
from pyarrow import parquet  # type: ignore[import-not-found,unused-ignore]
from scipy import sparse

from clary.formats import content_types, libsvm, recordio
from clary.toolkit.errors import UserError

logger = logging.getLogger(__name__)

Matrix = Any
"""An xgboost.DMatrix."""
Array = Any

_DEPTH = 3
_KINDS = {
    "csv": "csv",
    content_types.CSV: "csv",
    "libsvm": "libsvm",
    content_types.LIBSVM: "libsvm",
    content_types.X_LIBSVM: "libsvm",
    "parquet": "parquet",
    content_types.PARQUET: "parquet",
    "recordio-protobuf": "recordio-protobuf",
    content_types.RECORDIO: "recordio-protobuf",
}
_VALID = (
    "csv, libsvm, parquet, recordio-protobuf, text/csv, text/libsvm, text/x-libsvm, application/x-parquet, "
    "application/x-recordio-protobuf"
)
_CHANNELS = {"train": True, "validation": False, "code": False}


def kind_of(content_type: Optional[str]) -> str:
    """`csv`, `libsvm`, `parquet` or `recordio-protobuf`; LIBSVM where none is said. Raises UserError."""
    if content_type is None:
        return "libsvm"
    name, parameters = content_types.parse(content_type)
    if name not in _KINDS:
        raise UserError(f"{content_type} is not an accepted ContentType: {_VALID}.")
    if _KINDS[name] == "csv" and parameters.get("label_size", "1") != "1":
        raise UserError(
            f"{content_type} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1"
        )
    return _KINDS[name]


def check_channels(channels: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises UserError where `train` is missing, a channel is unknown, or cannot be read as it is configured."""
    for name, needed in _CHANNELS.items():
        if needed and name not in channels:
            raise UserError(f"Missing required channel: {name}")
    for name, channel in channels.items():
        if name not in _CHANNELS:
            raise UserError(f"Extraneous channel found: {name}")
        if name != "code":
            _check_channel(name, channel)


def _check_channel(name: str, channel: Mapping[str, Any]) -> None:
    kind = kind_of(channel.get("ContentType"))
    mode = channel.get("TrainingInputMode", "File")
    if mode == "Pipe" and kind == "libsvm":
        raise UserError("Pipe mode not supported for LibSVM.")
    if mode == "Pipe":
        raise UserError(f"Channel configuration for '{name}' channel is not supported: {dict(channel)}")


class Files(NamedTuple):
    """A channel's data files, in the order of their names."""

    paths: List[Path]
    size: int


def files_in(folder: Path) -> Files:
    """Data files up to three folders deep. Raises UserError for a hidden file."""
    found: List[Path] = []
    for root, folders, names in os.walk(str(folder)):
        folders.sort()
        depth = len(Path(root).relative_to(folder).parts) + 1
        if any(name.startswith(".") for name in names):
            raise UserError("Hidden file found in the data path! Remove that before training.")
        if depth > _DEPTH and names:
            logger.warning("The depth of folder %s exceed the limit %d.", folder, _DEPTH)
            continue
        found.extend(Path(root) / name for name in sorted(names))
    return Files(found, sum(path.stat().st_size for path in found))


def read_matrix(files: Files, kind: str, *, weights: bool = False) -> Matrix:
    """The files as one DMatrix: the label is the first column of CSV and Parquet. Raises UserError."""
    _check_format(files, kind)
    with _gathered(files) as folder:
        if kind == "csv":
            matrix = _csv(folder, files, weights)
        elif kind == "libsvm":
            matrix = _libsvm(folder)
        elif kind == "parquet":
            matrix = _parquet(folder)
        else:
            matrix = _recordio(files)
    if matrix.get_label().size == 0:
        raise UserError(
            "Got input data without labels. Please check the input data set. "
            "If training job is running on multiple instances, please switch "
            "to using single instance if number of records in the data set "
            "is less than number of workers (16 * number of instance) in the cluster."
        )
    return matrix


def _check_format(files: Files, kind: str) -> None:
    for path in files.paths:
        with path.open(encoding="utf-8", errors="ignore") as file:
            if kind == "csv":
                delimiter_of(file.readline())
            elif kind == "libsvm":
                _check_libsvm(path, file)


def _check_libsvm(path: Path, lines: Iterator[str]) -> None:
    """The first line with features tells; XGBoost itself checks the rest."""
    for line in lines:
        if libsvm.first_fault(line.rstrip("\n")):
            raise UserError(
                f"First line '{line[:50]}...' of file '{path.name}' is not 'LIBSVM' format. "
                "Please ensure the file is in 'LIBSVM' format."
            )
        if line.count(":") > 1:
            return


def delimiter_of(line: str) -> str:
    """What separates the values of a line of CSV. Raises UserError where nothing can be told."""
    if "," in line:
        return ","
    try:
        return csv.Sniffer().sniff(line).delimiter
    except csv.Error as error:
        raise UserError(f"Could not determine delimiter on line {line[:50]}:\n{error}") from error


@contextlib.contextmanager
def _gathered(files: Files) -> Iterator[Path]:
    """All files in one flat folder, as XGBoost's reader wants them, in their order."""
    with tempfile.TemporaryDirectory(prefix="xgboost-input-") as folder:
        for number, path in enumerate(files.paths):
            (Path(folder) / f"{number:08d}").symlink_to(path)
        yield Path(folder)


def _csv(folder: Path, files: Files, weights: bool) -> Matrix:
    with files.paths[0].open(encoding="utf-8", errors="ignore") as file:
        delimiter = delimiter_of(file.readline())
    query = f"format=csv&label_column=0&delimiter={delimiter}" + ("&weight_column=1" if weights else "")
    return _read(f"{folder}?{query}", "csv")


def _libsvm(folder: Path) -> Matrix:
    return _read(f"{folder}?format=libsvm", "libsvm")


def _read(uri: str, kind: str) -> Matrix:
    try:
        return xgboost.DMatrix(uri)
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise UserError(f"Failed to load {kind} data with exception:\n{error}") from error


def _parquet(folder: Path) -> Matrix:
    try:
        table = parquet.read_table(str(folder)).to_pandas().to_numpy()
    except (OSError, ValueError) as error:
        raise UserError(f"Failed to load parquet data with exception:\n{error}") from error
    return xgboost.DMatrix(table[:, 1:], label=table[:, 0])


def _recordio(files: Files) -> Matrix:
    try:
        features, labels = from_recordio(b"".join(path.read_bytes() for path in files.paths))
    except ValueError as error:
        raise UserError(f"Failed to load recordio-protobuf data with exception:\n{error}") from error
    return xgboost.DMatrix(features, label=labels)


def from_recordio(data: bytes) -> Tuple[Array, Optional[Array]]:
    """Features (a dense array, or a sparse matrix) and labels. Raises ValueError."""
    rows: List[recordio.Tensor] = []
    labels: List[float] = []
    for record in recordio.read(data):
        tensor = recordio.values_of(record.features)
        if tensor is not None:
            rows.append(tensor)
            label = recordio.values_of(record.label)
            labels.extend(label.values if label else ())
    if not rows:
        raise ValueError("No records found in RecordIO-Protobuf data")
    target = np.asarray(labels, dtype=np.float32) if labels else None
    if any(len(tensor.keys) for tensor in rows):
        return _sparse(rows), target
    return np.asarray([tensor.values for tensor in rows], dtype=np.float32), target


def _sparse(rows: List[recordio.Tensor]) -> Array:
    width = max(max([*tensor.shape[:1], *(key + 1 for key in tensor.keys)], default=1) for tensor in rows)
    starts = np.cumsum([0, *(len(tensor.keys) for tensor in rows)])
    values = np.concatenate([np.asarray(tensor.values, dtype=np.float32) for tensor in rows])
    columns = np.concatenate([np.asarray(tensor.keys, dtype=np.int64) for tensor in rows])
    return sparse.csr_matrix((values, columns, starts), shape=(len(rows), width))


def warn_of_copies(train: Files, validation: Files) -> None:
    """Files of the same name and size on both sides make the validation score worthless."""
    sizes: Dict[str, int] = {path.name: path.stat().st_size for path in train.paths}
    copies = [path.name for path in validation.paths if sizes.get(path.name) == path.stat().st_size]
    if copies:
        logger.warning(
            "Suspected identical files found. (%s). Note: Duplicate data in the training set and validation set is "
            "usually not intentional and can impair the validity of the model evaluation by the validation score.",
            ", ".join(copies),
        )
