"""A trained model's file: a zip archive, as that of AWS's own algorithms is.

`model.json` says what it is; each array stands beside it in numpy's own format, read without pickle.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any, Dict, Mapping, Tuple

import numpy as np

Array = Any
"""A numpy array."""

FILE = "model_algo-1"
_HEAD = "model.json"
_ARRAY = ".npy"


def write(folder: Path, kind: str, head: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Write `FILE`. `kind` names the algorithm and the version of its format; `head` is what JSON holds."""
    parts = {_HEAD: json.dumps({"format": kind, **head}).encode()}
    parts.update((name + _ARRAY, _packed(array)) for name, array in arrays.items())
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(str(folder / FILE), "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in parts.items():  # without the time of day: the same model, the same file
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


class _Parts(Dict[str, Any]):
    """By their names; to ask for one that is missing raises RuntimeError, which names the file."""

    def __init__(self, path: Path, parts: Mapping[str, Any]) -> None:
        super().__init__(parts)
        self._path = path

    def __missing__(self, name: str) -> Any:  # noqa: ANN401 - of any kind
        raise RuntimeError(f"Model {self._path} holds no '{name}'")


def read(folder: Path, kind: str) -> Tuple[Mapping[str, Any], Mapping[str, Array]]:
    """Head and arrays. Raises RuntimeError where there is no model, or none of that kind; so does what is asked for
    and is not in them."""
    path = folder / FILE
    if not path.is_file():
        raise RuntimeError(f"No model found in {folder}: {FILE} is missing")
    try:
        with zipfile.ZipFile(str(path)) as archive:
            head = json.loads(archive.read(_HEAD))
            arrays = _arrays(archive)
        found = head.get("format")
    except (zipfile.BadZipFile, KeyError, ValueError, AttributeError) as error:
        raise RuntimeError(f"Model {path} was not written by Clary: {error}") from error
    if found != kind:
        raise RuntimeError(f"Model {path} has the format {found}; {kind} is read here")
    return _Parts(path, head), _Parts(path, arrays)


def _arrays(archive: zipfile.ZipFile) -> Dict[str, Array]:
    names = [name for name in archive.namelist() if name.endswith(_ARRAY)]
    return {name[: -len(_ARRAY)]: _unpacked(archive.read(name)) for name in names}


def _packed(values: Array) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.ascontiguousarray(values), allow_pickle=False)
    return file.getvalue()


def _unpacked(data: bytes) -> Array:
    return np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
