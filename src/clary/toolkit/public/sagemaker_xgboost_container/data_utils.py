"""`data_utils`: training files as an `xgboost.DMatrix`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List, Optional, Union

from clary.algorithms.xgboost import channels, matrices
from clary.algorithms.xgboost.channels import CSV, LIBSVM, PARQUET
from clary.algorithms.xgboost.channels import RECORDIO as RECORDIO_PROTOBUF
from clary.algorithms.xgboost.files import Files, check_format, files_in, joined
from clary.toolkit.errors import UserError

__all__ = [
    "CSV",
    "LIBSVM",
    "PARQUET",
    "RECORDIO_PROTOBUF",
    "get_content_type",
    "get_dmatrix",
    "get_size",
    "validate_data_file_path",
]

Matrix = Any
"""An xgboost.DMatrix."""


def get_content_type(content_type_cfg_val: Optional[str]) -> str:
    """`text/csv; label_size=1` → `csv`. Raises UserError."""
    return channels.kind_of(content_type_cfg_val)


def get_dmatrix(
    data_path: Union[str, List[str]], content_type: str, csv_weights: int = 0, is_pipe: bool = False
) -> Optional[Matrix]:
    """A folder, a file, several of them, or a pipe (its path without the epoch); None where there is no data.

    Raises UserError where the data cannot be read.
    """
    paths = [Path(path) for path in ([data_path] if isinstance(data_path, str) else data_path)]
    kind, weights = get_content_type(content_type), csv_weights == 1
    if is_pipe:
        return _from_pipes(paths, kind, weights=weights)
    files = Files([], 0)
    for path in paths:
        files = joined(files, _files(path))
    return matrices.read_files(files, kind, weights=weights) if files.size else None


def _from_pipes(paths: List[Path], kind: str, *, weights: bool) -> Optional[Matrix]:
    found: Optional[matrices.Rows] = None
    for path in paths:
        rows = matrices.read_pipe(path.with_name(f"{path.name}_0"), kind, weights=weights)
        if rows is not None:
            found = rows if found is None else matrices.stacked(found, rows)
    return None if found is None else matrices.matrix_of(found)


def _files(path: Path) -> Files:
    if path.is_file():
        return Files([path], path.stat().st_size)
    return files_in(path)


def get_size(data_path: str, is_pipe: bool = False) -> int:
    """Bytes of the data files below a path; 1 for a pipe. Raises UserError for a hidden file."""
    if is_pipe and Path(f"{data_path}_0").exists():
        return 1
    return _files(Path(data_path)).size


def validate_data_file_path(data_path: str, content_type: str) -> None:
    """Look at the files' first lines. Raises UserError where they are of another format, or there is no such path."""
    if not Path(data_path).exists():
        raise UserError(f"{data_path} is not a valid path!")
    check_format(_files(Path(data_path)), get_content_type(content_type))
