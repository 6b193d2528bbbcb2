"""Answers of AWS's `xgboost-neo` image: CSV or LIBSVM in, CSV out
(https://github.com/neo-ai/neo-ai-dlr/blob/main/container/neo_template_xgboost.py).

One prediction a row stands in one line, separated by commas, as there; values for each class stand in a line a row.
"""

from __future__ import annotations

import io
import logging
from typing import Any, Callable, List, Mapping, Optional, Sequence

import numpy as np

from clary.formats import content_types, libsvm
from clary.toolkit import inference
from clary.toolkit.layout import Layout
from clary.toolkit.serve import ONNX_FILE
from clary.toolkit.server.batching import Rows, RowWise
from clary.toolkit.server.message import Refused, Request, Response
from clary.toolkit.sessions import ERRORS, Session

logger = logging.getLogger("sagemaker-inference")

Array = Any

_MAX_PAYLOAD = 6_291_456
_TRIED = 16
_SEED = 45
_UNKNOWN_TYPE = (
    'ClientError: Invalid content type. Accepted content types are "text/libsvm" and "text/csv". Received {}'
)


class TreesService:
    """A compiled booster. Raises what the runtime raises for a file it cannot load, OSError where there is none."""

    def __init__(self, layout: Layout, environ: Mapping[str, str]) -> None:
        self._session = Session((layout.model / ONNX_FILE).read_bytes())
        self._columns: int = self._session.inputs[0].shape[1]
        self._batch = bool(environ.get("SAGEMAKER_BATCH"))
        together = environ.get("CLARY_BATCH", "") != "off" and row_wise(self._predicted, self._columns)
        self._together = self if together else None
        logger.info("Loaded a compiled model of rows of %d features.", self._columns)

    def invoke(self, request: Request) -> Response:
        """Raises Refused with 400: for a content type, for what cannot be read, for rows of another length."""
        if not request.body.strip():
            return Response(204)
        return self.write(self._predicted(self._table(request)), request)

    def row_wise(self) -> Optional[RowWise]:
        """Trees look at one row at a time."""
        return self._together

    def read(self, request: Request) -> Optional[Rows]:
        """A request's rows. Raises Refused, as `invoke`."""
        if not request.body.strip():
            return None
        table = self._table(request)
        return Rows("rows", len(table), table)

    def predict(self, data: Sequence[Array]) -> List[Array]:
        """The predictions of each table."""
        ends = np.cumsum([len(table) for table in data])
        return np.split(self._predicted(np.concatenate(data)), ends[:-1])

    def write(self, predictions: Array, _request: Request) -> Response:
        """For batch transform a line a row: its records are to be put beside those that were asked."""
        one_line = predictions.ndim == 1 and not self._batch
        stream = io.StringIO()
        np.savetxt(stream, predictions.reshape(1, -1) if one_line else predictions, delimiter=",", newline="\n")
        return Response(200, stream.getvalue().encode(), content_types.CSV)

    def execution_parameters(self) -> Response:
        """GET /execution-parameters."""
        return inference.parameters_response(1, _MAX_PAYLOAD)

    def _table(self, request: Request) -> Array:
        kind = content_types.parse(request.headers.get("content-type", ""))[0]
        reader = _READERS.get(kind)
        if reader is None:
            raise Refused(400, _UNKNOWN_TYPE.format(kind or "none"))
        try:
            table = reader(request.body.strip().decode("utf-8"), self._columns)
        except ValueError as error:
            raise Refused(400, f"ClientError: The request's {kind} cannot be read: {error}") from error
        if table.shape[1] != self._columns:
            said = f"a row has {table.shape[1]} features where the model has {self._columns}"
            raise Refused(400, f"ClientError: {said}")
        return table

    def _predicted(self, table: Array) -> Array:
        try:
            return self._session.first(table)
        except ERRORS as error:
            raise Refused(400, f"ClientError: The model cannot be asked so: {error}") from error


def row_wise(predict: Callable[[Array], Array], columns: int) -> bool:
    """Whether the runtime says of a table, to the last bit, what it says of its rows: tried on random ones."""
    random = np.random.RandomState(_SEED)
    table = (random.normal(size=(_TRIED, columns)) * 10.0 ** random.uniform(-2, 3, (_TRIED, 1))).astype(np.float32)
    whole = predict(table)
    alone = np.concatenate([predict(table[place : place + 1]) for place in range(_TRIED)])
    return bool(whole.tobytes() == alone.tobytes())


def _csv(text: str, _columns: int) -> Array:
    """A cell without a value is a missing one. Raises ValueError."""
    rows = [[float(cell) if cell.strip() else np.nan for cell in line.split(",")] for line in text.splitlines()]
    table = np.asarray(rows, dtype=np.float32)
    if table.ndim != 2:
        raise ValueError("its rows have different lengths")
    return table


def _libsvm(text: str, columns: int) -> Array:
    """What a line does not name is missing. Raises ValueError."""
    found = libsvm.parse_features(text)
    column = np.asarray(found.column, dtype=np.int64)
    if column.size and (column.min() < 0 or column.max() >= columns):
        raise ValueError(f"it names column {int(column.max() if column.min() >= 0 else column.min())}")
    table = np.full((found.rows, columns), np.nan, np.float32)
    table[np.asarray(found.row, dtype=np.int64), column] = np.asarray(found.value)
    return table


_READERS: Mapping[str, Callable[[str, int], Array]] = {
    content_types.CSV: _csv,
    content_types.LIBSVM: _libsvm,
    content_types.X_LIBSVM: _libsvm,
}
