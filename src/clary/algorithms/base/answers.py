"""Predictions as bodies (https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html)."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence

from clary.formats import content_types, recordio
from clary.formats.recordio import Record, Tensor
from clary.toolkit.server.message import Refused

Row = Mapping[str, Any]
"""What is said of one example: names → numbers or lists of numbers, such as `score` and `predicted_label`."""

KINDS = (content_types.JSON, content_types.JSON_LINES, content_types.CSV, content_types.RECORDIO)


class Wanted(NamedTuple):
    """The content type of an answer, and its parameters (`verbose` → `true`)."""

    kind: str
    parameters: Mapping[str, str]


def wanted(accept: str, default: str, offered: Sequence[str] = KINDS) -> Wanted:
    """The first of an Accept header that is offered. Raises Refused with 406 where none is."""
    kinds = [Wanted(*content_types.parse(part)) for part in accept.split(",") if part.strip()]
    if not kinds or any(each.kind == content_types.ANY for each in kinds):
        kinds = [Wanted(*content_types.parse(default))]
    for each in kinds:
        if each.kind in offered:
            return each
    listed = ", ".join(offered)
    raise Refused(406, f"Accept type '{accept or default}' is not supported. Supported accept types: {listed}.")


def write(rows: Sequence[Row], kind: str, key: str) -> bytes:
    """The body of an answer of this content type; in JSON, `key` holds the rows.

    Raises Refused with 400 for a prediction that is no finite number, which JSON does not know.
    """
    try:
        if kind == content_types.JSON:
            return json.dumps({key: list(rows)}, allow_nan=False).encode()
        if kind == content_types.JSON_LINES:
            return "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows).encode()
    except ValueError as error:
        raise Refused(400, "unable to evaluate payload provided: its prediction is no finite number") from error
    if kind == content_types.CSV:
        return "".join(",".join(map(_cell, row.values())) + "\n" for row in rows).encode()
    return recordio.write(Record({}, {name: _tensor(value) for name, value in row.items()}) for row in rows)


def _cell(value: object) -> str:
    return f'"{value}"' if isinstance(value, list) else str(value)


def _tensor(value: Any) -> Tensor:  # noqa: ANN401 - a number or a list of numbers
    return Tensor(value if isinstance(value, list) else [float(value)])


def table(columns: Mapping[str, Sequence[Any]]) -> List[Row]:
    """Columns of equal length as rows; numpy's arrays too, whose numbers become Python's."""
    lists = {name: column.tolist() if hasattr(column, "tolist") else list(column) for name, column in columns.items()}
    rows: List[Dict[str, Any]] = [dict(zip(lists, row)) for row in zip(*lists.values())]  # noqa: B905 - Python 3.8
    return list(rows)
