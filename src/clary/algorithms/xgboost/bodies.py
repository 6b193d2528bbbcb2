"""Requests' bodies as matrices: CSV, LIBSVM and RecordIO-protobuf, without labels."""

from __future__ import annotations

import os
from typing import Any, List, NamedTuple, Optional, Sequence

import numpy as np
import pyarrow  # type: ignore[import-not-found,unused-ignore]
import xgboost
from pyarrow import csv as arrow_csv  # type: ignore[import-not-found,unused-ignore]
from scipy import sparse

from clary.algorithms.xgboost import channels
from clary.algorithms.xgboost.files import delimiter_of
from clary.formats import libsvm
from clary.toolkit import records
from clary.toolkit.errors import UserError
from clary.toolkit.server.message import Refused

Matrix = Any
"""An xgboost.DMatrix."""
Array = Any

_LARGE = 16 * 1024
"""Bytes of CSV from which on handing the body to a reader of its own pays."""
_BLOCK = 4 * 2**20
_SNIFFED = 512
MANY_ROWS = 4096
"""From here on handing out work to several threads costs less than it saves."""


class Body(NamedTuple):
    """What a request asks about; `kind` is `csv`, `libsvm` or `recordio-protobuf`."""

    matrix: Matrix
    kind: str


def threads_for(rows: int) -> int:
    """How many threads that many rows are worth: one, or one for each core that this process may use."""
    return 1 if rows < MANY_ROWS else len(os.sched_getaffinity(0))


class Features(NamedTuple):
    """A request's rows, dense or sparse; `kind` as in Body."""

    values: Array
    kind: str

    def body(self) -> Body:
        """As the booster takes them."""
        return Body(xgboost.DMatrix(self.values, nthread=threads_for(self.values.shape[0])), self.kind)


def read(body: bytes, content_type: Optional[str]) -> Features:
    """A request's body as rows. Raises Refused with 415."""
    try:
        kind = channels.kind_of(content_type)
    except UserError as error:
        raise Refused(415, str(error)) from error
    if kind not in _READERS:
        raise Refused(415, f"Content-type {content_type} is not supported.")
    try:
        return Features(_READERS[kind](body), kind)
    except (ValueError, UserError) as error:
        text = f"Loading {kind} data failed with Exception, please ensure data is in {kind} format:"
        raise Refused(415, f"{text}\n {type(error)}\n {error}") from error


def row(body: bytes, content_type: Optional[str]) -> Optional[List[float]]:
    """A body that is one line of CSV with several numbers, as `read` reads it; None for any other. Raises UserError."""
    text = body.strip()
    if channels.kind_of(content_type) != channels.CSV or len(text) >= _LARGE or b"\n" in text:
        return None
    if b"," not in text[:_SNIFFED]:
        return None
    try:
        return list(map(float, text.decode("utf-8").split(",")))
    except ValueError:
        return None


def table(rows: Sequence[List[float]]) -> Features:
    """Several such."""
    return Features(np.array(rows, dtype=float), channels.CSV)


def csv_values(body: bytes) -> Array:
    """Rows of numbers, NaN where a value is missing. Raises ValueError or UserError for anything else."""
    text = body.strip()
    first = text[: text.find(b"\n") if b"\n" in text else None][:_SNIFFED].decode("utf-8")
    delimiter = "," if "," in first or _is_number(first) else delimiter_of(first)
    if delimiter.isalnum():
        delimiter = ","
    found = _large_csv(text, delimiter) if len(text) >= _LARGE else None
    return found if found is not None else _small_csv(text.decode("utf-8"), delimiter)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _small_csv(text: str, delimiter: str) -> Array:
    rows = [[float(cell) if cell else np.nan for cell in line.split(delimiter)] for line in text.split("\n")]
    return np.asarray(rows, dtype=float)


def _large_csv(text: bytes, delimiter: str) -> Optional[Array]:
    """None where this faster reader stumbles: the exact one then decides, and says what is wrong."""
    if len(delimiter.encode()) > 1 or b"\r" in text.replace(b"\r\n", b"\n"):
        return None
    names = [str(number) for number in range(text[: text.find(b"\n")].count(delimiter.encode()) + 1)]
    try:
        table = arrow_csv.read_csv(
            pyarrow.BufferReader(text),
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=_BLOCK),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, quote_char=False, ignore_empty_lines=False),
            convert_options=arrow_csv.ConvertOptions(
                column_types={name: pyarrow.float64() for name in names}, null_values=[""]
            ),
        )
    except pyarrow.ArrowException:
        return None
    values = np.empty((table.num_rows, table.num_columns))
    for number, column in enumerate(table.columns):
        values[:, number] = column.to_numpy()
    return values


def libsvm_values(body: bytes) -> Array:
    """A sparse matrix; columns as the body counts them, labels skipped. Raises ValueError."""
    found = libsvm.parse_features(body.strip().decode("utf-8"))
    columns = np.asarray(found.column, dtype=np.int64)
    shape = (found.rows, int(columns.max()) + 1 if columns.size else 1)
    if columns.size and columns.min() < 0:
        raise ValueError("negative column index found")
    return sparse.csr_matrix((np.asarray(found.value), (np.asarray(found.row), columns)), shape=shape)


def _recordio_values(body: bytes) -> Array:
    return records.rows_of(body).features


_READERS = {channels.CSV: csv_values, channels.LIBSVM: libsvm_values, channels.RECORDIO: _recordio_values}
