"""A model given as PMML, without a script: `model.pmml`, or the one `.pmml` of the archive.

A JSON array, CSV or NPY has rows of the model's fields, in the file's order, and is answered with the prediction. JSON
objects have fields by name, and are answered with the prediction and the file's outputs by theirs.
"""

from __future__ import annotations

import csv
import io
import json
import logging
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

import numpy as np

from clary.formats import content_types
from clary.toolkit import arrays, inference
from clary.toolkit.layout import Layout
from clary.toolkit.pmml.columns import Unanswerable
from clary.toolkit.pmml.document import PmmlModel, file_of
from clary.toolkit.server.batching import RowWise
from clary.toolkit.server.message import Refused, Request, Response

logger = logging.getLogger("sagemaker-inference")

_MAX_PAYLOAD = 6_291_456


class _Asked(NamedTuple):
    fields: Dict[str, List[Any]]
    rows: int
    shape: str
    """Of the answer: `columns`, `records` by name; `values` without names."""


class DocumentService:
    """A model. Raises RuntimeError where the folder has none, Invalid for one that cannot be asked."""

    def __init__(self, layout: Layout, environ: Mapping[str, str]) -> None:
        path = file_of(layout.model)
        if path is None:
            raise RuntimeError("The model's archive must hold model.pmml, or one other .pmml file, at its top.")
        self._model = PmmlModel.of(path)
        self._accept = environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or content_types.JSON
        fields = ", ".join(f"{name} {kind}" for name, kind in self._model.inputs.items())
        logger.info("Loaded %s: fields %s.", path.name, fields)

    def invoke(self, request: Request) -> Response:
        """Raises Refused: 415 or 400 for a request's type or its body, 406 for the wanted type."""
        asked = self._read(request)
        try:
            found = self._model.ask(asked.fields, asked.rows)
        except Unanswerable as error:
            raise Refused(400, f"The model cannot be asked so: {error}.") from error
        if asked.shape == "columns":
            return Response(200, json.dumps(found).encode(), content_types.JSON)
        if asked.shape == "records":
            records = [dict(zip(found, row)) for row in zip(*found.values())]  # noqa: B905 - Python 3.8
            return Response(200, json.dumps(records).encode(), content_types.JSON)
        accept = request.headers.get("accept") or content_types.ANY
        accept = self._accept if accept == content_types.ANY else accept
        return Response(200, arrays.encode(_plain(next(iter(found.values())), accept), accept), accept)

    def row_wise(self) -> Optional[RowWise]:
        """None: its rows are computed by themselves, but nothing is gained by more of them."""
        return None

    def execution_parameters(self) -> Response:
        """GET /execution-parameters."""
        return inference.parameters_response(1, _MAX_PAYLOAD)

    def _read(self, request: Request) -> _Asked:
        content_type = request.headers.get("content-type") or content_types.JSON
        kind = content_types.parse(content_type)[0]
        if kind == content_types.CSV:
            return self._of_rows(_cells(request.body))
        if kind != content_types.JSON:
            return self._of_rows(_table(arrays.decode(request.body, content_type)))
        try:
            return self._of_json(json.loads(request.body))
        except (ValueError, RecursionError) as error:
            raise Refused(400, f"Error while decoding {content_types.JSON}: {error}") from error

    def _of_json(self, given: Any) -> _Asked:  # noqa: ANN401 - whatever the request holds
        if isinstance(given, dict):
            return self._of_columns(given)
        if isinstance(given, list) and given and all(isinstance(each, dict) for each in given):
            self._check_names({name for each in given for name in each})
            fields = {name: [each.get(name) for each in given] for name in self._model.inputs}
            return _Asked(fields, len(given), "records")
        if isinstance(given, list) and given and all(isinstance(each, list) for each in given):
            return self._of_rows(given)
        if isinstance(given, list) and given:
            return self._of_rows([[each] for each in given] if len(self._model.inputs) == 1 else [given])
        raise Refused(400, "The body must be JSON rows, or objects of the model's fields.")

    def _of_columns(self, given: Dict[str, Any]) -> _Asked:
        """Fields by name: a list of values, or one value."""
        self._check_names(given)
        lists = {name: value if isinstance(value, list) else [value] for name, value in given.items()}
        counts = {len(each) for each in lists.values()}
        if len(counts) != 1 or counts == {0}:
            raise Refused(400, "All fields must have the same number of values, one or more.")
        return _Asked(lists, counts.pop(), "columns")

    def _of_rows(self, rows: List[List[Any]]) -> _Asked:
        names = list(self._model.inputs)
        wrong = next((row for row in rows if len(row) != len(names)), None)
        if wrong is not None or not rows:
            count = "no rows" if wrong is None else f"a row of {len(wrong)} values"
            raise Refused(400, f"The request has {count}; the model takes rows of {len(names)}: {', '.join(names)}.")
        columns = [list(column) for column in zip(*rows)]  # noqa: B905 - Python 3.8
        return _Asked(dict(zip(names, columns)), len(rows), "values")  # noqa: B905 - Python 3.8

    def _check_names(self, names: Any) -> None:  # noqa: ANN401 - names, in whatever holds them
        unknown = sorted(name for name in names if name not in self._model.inputs)
        if unknown:
            known = ", ".join(self._model.inputs)
            raise Refused(400, f"The model has no input {unknown[0]!r}; it has {known}.")


def _cells(body: bytes) -> List[List[Any]]:
    """A cell without a value is a missing one. Raises Refused."""
    try:
        rows = [row for row in csv.reader(io.StringIO(body.decode("utf-8"), newline=""), strict=True) if row]
    except (ValueError, csv.Error) as error:
        raise Refused(400, f"Error while decoding {content_types.CSV}: {error}") from error
    return [[cell if cell.strip() else None for cell in row] for row in rows]


def _table(array: Any) -> List[List[Any]]:  # noqa: ANN401 - numpy's, or scipy's
    dense = np.asarray(array.toarray() if hasattr(array, "toarray") else array)
    rows: List[List[Any]] = np.atleast_2d(dense).tolist()
    return rows


def _plain(values: List[Any], accept: str) -> Any:  # noqa: ANN401 - a list, or numpy's array
    """NPY has no value for a missing label, and NaN for a number."""
    if content_types.NPY not in content_types.accepted(accept):
        return values
    if any(isinstance(each, str) for each in values):
        return np.asarray(["" if each is None else each for each in values])
    return np.asarray([np.nan if each is None else each for each in values])
