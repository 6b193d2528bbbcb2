"""A channel's files in File and FastFile mode: which count as data, and whether they are what they are said to be."""

from __future__ import annotations

import contextlib
import csv
import logging
import os
import tempfile
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple

from clary.algorithms.xgboost import channels
from clary.formats import libsvm
from clary.toolkit.errors import UserError

logger = logging.getLogger(__name__)

_DEPTH = 3


class Files(NamedTuple):
    """A channel's data files, in the order of their names; `size` in bytes."""

    paths: List[Path]
    size: int


def files_in(folder: Path) -> Files:
    """Data files up to three folders deep; empty ones and those that begin with `_` (`_SUCCESS`) are no data.

    Raises UserError for a hidden file.
    """
    found: List[Path] = []
    for root, folders, names in os.walk(str(folder)):
        folders.sort()
        if any(name.startswith(".") for name in names):
            raise UserError("Hidden file found in the data path! Remove that before training.")
        if len(Path(root).relative_to(folder).parts) + 1 > _DEPTH and names:
            _warn_of_depth(folder)
            continue
        found.extend(Path(root) / name for name in sorted(names) if not name.startswith("_"))
    sizes = {path: path.stat().st_size for path in found}
    return Files([path for path in found if sizes[path]], sum(sizes.values()))


def _warn_of_depth(folder: Path) -> None:
    logger.warning(
        "The depth of folder %s exceed the limit %d. Files in deeper sub dirs won't be loaded. "
        "Please adjust the folder structure accordingly.",
        folder,
        _DEPTH,
    )


def joined(first: Files, second: Files) -> Files:
    """Both as one data set."""
    return Files([*first.paths, *second.paths], first.size + second.size)


def check_format(files: Files, kind: str) -> None:
    """Look at each file's beginning, so that the user hears which file is wrong. Raises UserError."""
    for path in files.paths:
        with path.open(encoding="utf-8", errors="ignore") as file:
            if kind == channels.CSV:
                delimiter_of(file.readline())
            elif kind == channels.LIBSVM:
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
def gathered(files: Files) -> Iterator[Path]:
    """All files in one flat folder, as XGBoost's reader wants them, in their order.

    That reader looks at everything beside the folder too, and fails where something vanishes meanwhile: it is alone.
    """
    with tempfile.TemporaryDirectory(prefix="xgboost-input-") as place:
        folder = Path(place) / "data"
        folder.mkdir()
        for number, path in enumerate(files.paths):
            (folder / f"{number:08d}").symlink_to(path)
        yield folder


def warn_of_copies(train: Files, validation: Files) -> None:
    """Files of the same name and size on both sides make the validation score worthless."""
    sizes: Dict[str, int] = {path.name: path.stat().st_size for path in train.paths}
    for path in validation.paths:
        size = path.stat().st_size
        if sizes.get(path.name) == size:
            logger.warning(
                "Suspected identical files found. (%s with same size %d bytes). Note: Duplicate data in the training "
                "set and validation set is usually not intentional and can impair the validity of the model "
                "evaluation by the validation score.",
                path.name,
                size,
            )
