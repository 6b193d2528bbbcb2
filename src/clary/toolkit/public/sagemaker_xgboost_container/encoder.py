"""`encoder`: requests' bodies as an `xgboost.DMatrix`."""

from __future__ import annotations

import json
from typing import Any, Dict, Optional, Union

import xgboost

from clary.algorithms.xgboost import bodies
from clary.toolkit import records

Matrix = Any
"""An xgboost.DMatrix."""


def csv_to_dmatrix(input: Union[str, bytes], dtype: Optional[type] = None) -> Matrix:  # noqa: A002 - its public name
    """Rows of numbers, missing values allowed. Raises ValueError."""
    values = bodies.csv_values(_bytes(input))
    return xgboost.DMatrix(values if dtype is None else values.astype(dtype))


def libsvm_to_dmatrix(string_like: Union[str, bytes]) -> Matrix:
    """`label index:value …`; labels are skipped. Raises ValueError."""
    return xgboost.DMatrix(bodies.libsvm_values(_bytes(string_like)))


def recordio_protobuf_to_dmatrix(string_like: bytes) -> Matrix:
    """Features, and labels where the records have them. Raises ValueError."""
    rows = records.rows_of(bytes(string_like))
    return xgboost.DMatrix(rows.features, label=rows.labels)


def decode(obj: Union[str, bytes], content_type: str) -> Matrix:
    """By content type. Raises Refused, which the model server answers with 415."""
    return bodies.read(_bytes(obj), content_type).matrix


def json_to_jsonlines(json_data: Union[str, Dict[str, Any]]) -> bytes:
    """`{"predictions": [{…}, {…}]}` → an object a line. Raises ValueError where there is not exactly one member."""
    found = json_data if isinstance(json_data, dict) else json.loads(json_data)
    if len(found) != 1:
        raise ValueError("JSON response is not compatible for conversion to jsonlines.")
    return "".join(json.dumps(entry) + "\n" for value in found.values() for entry in value).encode()


def _bytes(value: Union[str, bytes]) -> bytes:
    return value.encode("utf-8") if isinstance(value, str) else bytes(value)
