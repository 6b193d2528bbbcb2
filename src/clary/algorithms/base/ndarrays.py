"""A trained model's file as MXNet stores arrays, which is what AWS's k-means and PCA write: notebooks that say
`mx.ndarray.load("model_algo-1")` read ours, and models that AWS has trained are served here. It holds numbers only.

Layout, little-endian: `list magic (8), 0 (8), count (8), arrays, count (8), names`. An array is `magic (4),
[storage type (4)], dimensions (4), sizes (8 each), device (4 + 4), type (4), numbers`, a name `length (8), bytes`
(https://github.com/apache/mxnet/blob/1.9.1/src/ndarray/ndarray.cc).
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple, Union

import numpy as np

from clary.algorithms.base.archive import FILE

Array = Any
"""A numpy array."""

_LIST = 0x112
_OLD, _DENSE_OR_SPARSE, _LATEST = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
"""Each array begins with one: the first has no storage type."""
_CPU = (1, 0)
_TYPES = ("<f4", "<f8", "<f2", "u1", "<i4", "i1", "<i8")
_MOST_DIMENSIONS = 8


def write(folder: Path, arrays: Union[Sequence[Array], Mapping[str, Array]]) -> None:
    """Write arrays, as float32, with the names of a mapping or without any."""
    names = list(arrays) if isinstance(arrays, Mapping) else []
    values = list(arrays.values()) if isinstance(arrays, Mapping) else list(arrays)
    parts = [struct.pack("<QQQ", _LIST, 0, len(values)), *map(_packed, values), struct.pack("<Q", len(names))]
    parts.extend(struct.pack("<Q", len(name.encode())) + name.encode() for name in names)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(b"".join(parts))


def _packed(array: Array) -> bytes:
    values = np.ascontiguousarray(array, dtype="<f4")
    head = struct.pack("<IiI", _DENSE_OR_SPARSE, 0, values.ndim)
    return head + struct.pack(f"<{values.ndim}q", *values.shape) + struct.pack("<iii", *_CPU, 0) + values.tobytes()


def read(folder: Path) -> Dict[str, Array]:
    """Arrays by their names; those without are named by their place, `0` the first.

    Raises RuntimeError where there is no model, or none in this format.
    """
    path = folder / FILE
    if not path.is_file():
        raise RuntimeError(f"No model found in {folder}: {FILE} is missing")
    try:
        return _Reader(path.read_bytes()).all()
    except (ValueError, struct.error) as error:
        raise RuntimeError(f"Model {path} is no file of MXNet's arrays: {error}") from error


class _Reader:
    """Reads from the beginning on. Raises ValueError or struct.error."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def all(self) -> Dict[str, Array]:
        magic, _, count = self._next("QQQ")
        if magic != _LIST:
            raise ValueError("it begins with another number")
        arrays = [self._array() for _ in self._counted(count)]
        (named,) = self._next("Q")
        names = [self._name() for _ in self._counted(named)] or [str(place) for place in range(count)]
        return dict(zip(names, arrays))  # noqa: B905 - Python 3.8

    def _counted(self, count: int) -> range:
        """Each takes some bytes: a count that the rest of the file cannot hold is wrong."""
        if count > len(self._data) - self._place:
            raise ValueError("it is cut off")
        return range(count)

    def _array(self) -> Array:
        (magic,) = self._next("I")
        if magic not in (_OLD, _DENSE_OR_SPARSE, _LATEST) or (magic != _OLD and self._next("i") != (0,)):
            raise ValueError("an array in it is not dense")
        (dimensions,) = self._next("I")
        if dimensions > _MOST_DIMENSIONS:
            raise ValueError(f"an array in it has {dimensions} dimensions")
        shape: List[int] = list(self._next(f"{dimensions}q"))
        *_, kind = self._next("iii")
        if not 0 <= kind < len(_TYPES) or any(size < 0 for size in shape):
            raise ValueError("an array in it has an unknown type or shape")
        return self._numbers(np.dtype(_TYPES[kind]), shape)

    def _numbers(self, kind: Any, shape: List[int]) -> Array:  # noqa: ANN401 - a numpy dtype
        data = self._bytes(math.prod(shape) * kind.itemsize)
        return np.frombuffer(data, dtype=kind).reshape(shape)

    def _name(self) -> str:
        (size,) = self._next("Q")
        return self._bytes(size).decode()

    def _next(self, layout: str) -> Tuple[int, ...]:
        found = struct.unpack_from("<" + layout, self._data, self._place)
        self._place += struct.calcsize("<" + layout)
        return found

    def _bytes(self, size: int) -> bytes:
        if size > len(self._data) - self._place:
            raise ValueError("it is cut off")
        self._place += size
        return self._data[self._place - size : self._place]
