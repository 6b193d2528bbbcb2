"""Bytes of training data as numbers: CSV with the label first, and RecordIO-protobuf."""

from __future__ import annotations

import io
import warnings
from typing import Any, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from scipy import sparse

from clary.formats import recordio
from clary.formats.recordio import Tensor

Array = Any
"""A numpy array; features may be a scipy.sparse matrix."""


_MAGIC = (0xCED7230A).to_bytes(4, "little")
_HEAD = 8
_LARGE = 1 << 16
"""Bytes of CSV from which on the faster reader pays."""


class Examples(NamedTuple):
    """Features (n, d) and labels (n,); no labels where there were none."""

    features: Array
    labels: Optional[Array]


def usable(values: Array) -> bool:
    """Whether all numbers are finite, as the 32-bit floats too that AWS's algorithms compute with."""
    found = values.data if sparse.issparse(values) else values
    largest = np.finfo(np.float32).max
    return not found.size or bool(found.max() <= largest and found.min() >= -largest)  # neither, where one is NaN


def from_csv(data: bytes, *, labelled: bool) -> Examples:
    """Rows of numbers, the label first where there is one. Raises ValueError."""
    table = csv_table(data)
    return Examples(table[:, 1:], table[:, 0]) if labelled else Examples(table, None)


def csv_table(data: bytes) -> Array:
    """(n, columns). Raises ValueError where cells are no numbers or rows differ in their length."""
    found = _table(data) if len(data) > _LARGE and not data.isspace() else None
    return _checked(data) if found is None else found


def _table(data: bytes) -> Any:  # noqa: ANN401 - an array, or None where something is wrong
    """(n, columns), twice as fast for many rows, but without a reason that users understand."""
    try:
        return np.loadtxt(io.BytesIO(data), delimiter=",", comments=None, quotechar='"', ndmin=2)
    except ValueError:
        return None


def _checked(data: bytes) -> Array:
    """(n, columns). Raises ValueError, with the cell that is no number, or the rows' lengths."""
    rows = [row for row in data.replace(b'"', b"").splitlines() if row.strip()]
    widths = {row.count(b",") + 1 for row in rows}
    if len(widths) > 1:
        raise ValueError(f"rows have between {min(widths)} and {max(widths)} columns")
    if not rows:
        return np.zeros((0, 1))
    values = _numbers(b",".join(rows), rows)
    return values.reshape(len(rows), -1)


def _numbers(text: bytes, rows: Sequence[bytes]) -> Array:
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        try:
            values = np.fromstring(text.decode("ascii"), dtype=np.float64, sep=",")
        except (DeprecationWarning, ValueError):
            values = np.zeros(0)
    if len(values) != text.count(b",") + 1:
        raise ValueError(f"could not convert string to float: {_first_text(rows)!r}")
    return values


def _first_text(rows: Sequence[bytes]) -> str:
    """The first cell that is no number, for the message."""
    for row in rows:
        for cell in row.decode("utf-8", "replace").split(","):
            try:
                float(cell)
            except ValueError:
                return cell
    return ""


def from_recordio(data: bytes) -> Examples:
    """Records with a tensor `values` on each side. Raises ValueError."""
    uniform = _uniform(data)
    return uniform if uniform is not None else _one_by_one(data)


def _uniform(data: bytes) -> Optional[Examples]:
    """Records that differ in nothing but their numbers, as SDKs write them, all at once; None where they do."""
    if data[:4] != _MAGIC or len(data) < _HEAD:
        return None
    length = int.from_bytes(data[4:_HEAD], "little")
    size = (_HEAD + length + 3) // 4 * 4
    if len(data) % size:
        return None
    frames = np.frombuffer(data, dtype=np.uint8).reshape(-1, size)
    places = list(_places(data, _HEAD, _HEAD + length))
    if sorted(place.side for place in places) not in ([1], [1, 2]) or not all(place.whole(size) for place in places):
        return None
    fixed = np.ones(size, dtype=bool)
    for place in places:
        fixed[place.start : place.end] = False
    if not (frames[:, fixed] == frames[0, fixed]).all():
        return None
    found = {place.side: np.ascontiguousarray(frames[:, place.start : place.end]).view(place.kind) for place in places}
    labels = found.get(2)
    return Examples(found[1], labels[:, 0] if labels is not None and labels.shape[1] == 1 else None)


class _Place(NamedTuple):
    """Where the numbers of a dense tensor stand: side 1 is features, 2 the label."""

    side: int
    start: int
    end: int
    kind: str

    def whole(self, size: int) -> bool:
        """Whether it lies in a frame of that size, and holds whole numbers."""
        return self.start < self.end <= size and (self.end - self.start) % np.dtype(self.kind).itemsize == 0


_TENSORS = {2: "<f4", 3: "<f8"}


def _places(data: bytes, start: int, end: int) -> Iterator[_Place]:
    """Of a record. Tensors with keys, or in pieces, are left to the slow way: they yield nothing, or too much."""
    for side, entry in _parts(data, start, end):
        for number, value in _parts(data, *entry):
            if number != 2:
                continue
            for kind, tensor in _parts(data, *value):
                parts = list(_parts(data, *tensor))
                if kind in _TENSORS and [part for part, _ in parts] == [1]:
                    yield _Place(side, *parts[0][1], _TENSORS[kind])


def _parts(data: bytes, start: int, end: int) -> Iterator[Tuple[int, Tuple[int, int]]]:
    """Number and place of each field of a message whose fields are all of bytes; ends at any other."""
    while start < end:
        tag, start = _varint(data, start)
        if tag & 7 != 2:
            return
        size, start = _varint(data, start)
        yield tag >> 3, (start, start + size)
        start += size


def _varint(data: bytes, position: int) -> Tuple[int, int]:
    number, shift = 0, 0
    while position < len(data):
        byte = data[position]
        number |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            break
    return number, position


def _one_by_one(data: bytes) -> Examples:
    rows: List[Tensor] = []
    labels: List[float] = []
    for record in recordio.read(data):
        tensor = recordio.values_of(record.features)
        if tensor is None:
            raise ValueError("a record has no features named 'values'")
        rows.append(tensor)
        label = recordio.values_of(record.label)
        labels.extend(label.values[:1] if label else ())
    if labels and len(labels) != len(rows):
        raise ValueError(f"{len(rows) - len(labels)} of {len(rows)} records have no label")
    return Examples(stacked(rows), np.asarray(labels, dtype=np.float64) if labels else None)


def stacked(rows: Sequence[Tensor]) -> Array:
    """Tensors as rows: a sparse matrix where one has keys. Raises ValueError where their lengths differ."""
    if any(len(row.keys) or (row.shape and not len(row.values)) for row in rows):
        return _sparse(rows)
    widths = {len(row.values) for row in rows}
    if len(widths) > 1:
        raise ValueError(f"records have between {min(widths)} and {max(widths)} features")
    return np.asarray([row.values for row in rows], dtype=np.float64).reshape(len(rows), -1)


def _sparse(rows: Sequence[Tensor]) -> Array:
    if any(len(row.keys) != len(row.values) for row in rows):
        raise ValueError("a sparse record has another number of keys than of values")
    width = max(max([*row.shape[-1:], *(key + 1 for key in row.keys)], default=1) for row in rows)
    starts = np.cumsum([0, *(len(row.keys) for row in rows)])
    values = np.concatenate([np.asarray(row.values, dtype=np.float32) for row in rows])
    columns = np.concatenate([np.asarray(row.keys, dtype=np.int64) for row in rows])
    return sparse.csr_matrix((values, columns, starts), shape=(len(rows), width))


def joined(blocks: Sequence[Examples]) -> Examples:
    """The rows of several files. Raises ValueError where their widths differ, or only some have labels."""
    blocks = [block for block in blocks if block.features.shape[0]]
    if len(blocks) < 2:
        return blocks[0] if blocks else Examples(np.zeros((0, 0)), None)
    labels = [block.labels for block in blocks if block.labels is not None]
    if labels and len(labels) != len(blocks):
        raise ValueError("some files have labels and some have none")
    features = [block.features for block in blocks]
    return Examples(_below(features), np.concatenate(labels) if labels else None)


def _below(features: Sequence[Array]) -> Array:
    widths = {part.shape[1] for part in features}
    if any(sparse.issparse(part) for part in features):
        return sparse.vstack([widened(sparse.csr_matrix(part), max(widths)) for part in features], format="csr")
    if len(widths) > 1:
        raise ValueError(f"files have between {min(widths)} and {max(widths)} features")
    return np.concatenate(features)


def widened(features: Array, width: int) -> Array:
    """A sparse matrix with at least `width` columns."""
    rows, columns = features.shape
    return sparse.csr_matrix((features.data, features.indices, features.indptr), shape=(rows, max(columns, width)))
