"""Predictions as bodies (https://docs.aws.amazon.com/sagemaker/latest/dg/LL-in-formats.html)."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List, Mapping

from clary.algorithms.linear_learner.model import Answers
from clary.formats import content_types, recordio
from clary.formats.recordio import Record, Tensor
from clary.toolkit.server.message import Refused

Row = Dict[str, Any]
"""`score`, and for classifiers `predicted_label`."""


def content_type(accept: str, default: str) -> str:
    """The first of an Accept header that can be had. Raises Refused with 406 where none can."""
    wanted = content_types.accepted(accept)
    if not wanted or content_types.ANY in wanted:
        return default
    for kind in wanted:
        if kind in _WRITERS:
            return kind
    raise Refused(406, f"Accept type '{accept}' is not supported. Supported accept types: {', '.join(_WRITERS)}.")


def write(answers: Answers, kind: str) -> bytes:
    """The body of an answer of this content type."""
    return _WRITERS[kind](_rows(answers))


def _rows(answers: Answers) -> List[Row]:
    scores = answers.scores.tolist()
    if answers.labels is None:
        return [{"score": score} for score in scores]
    labels = answers.labels.tolist()
    return [{"score": score, "predicted_label": label} for score, label in zip(scores, labels)]  # noqa: B905 - Python 3.8


def _json(rows: List[Row]) -> bytes:
    return json.dumps({"predictions": rows}).encode()


def _json_lines(rows: List[Row]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _csv(rows: List[Row]) -> bytes:
    return "".join(",".join(map(_cell, row.values())) + "\n" for row in rows).encode()


def _cell(value: object) -> str:
    return f'"{value}"' if isinstance(value, list) else str(value)


def _recordio(rows: List[Row]) -> bytes:
    return recordio.write(Record({}, {name: _tensor(value) for name, value in row.items()}) for row in rows)


def _tensor(value: Any) -> Tensor:  # noqa: ANN401 - a number or a list of numbers
    return Tensor(value if isinstance(value, list) else [float(value)])


_WRITERS: Mapping[str, Callable[[List[Row]], bytes]] = {
    content_types.JSON: _json,
    content_types.JSON_LINES: _json_lines,
    content_types.CSV: _csv,
    content_types.RECORDIO: _recordio,
}
