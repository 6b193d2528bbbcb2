"""Requests for predictions: bodies as features
(https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html)."""

from __future__ import annotations

import json
from typing import Any, Callable, List, Mapping

import numpy as np
from scipy import sparse

from clary.algorithms.base import examples
from clary.formats import content_types
from clary.formats.recordio import Tensor
from clary.toolkit.server.message import Refused

Array = Any
"""A numpy array, or a scipy.sparse matrix."""

_FEATURES = "features"


def read(body: bytes, content_type: str, features: int) -> Array:
    """Examples (n, features). Raises Refused: 415 for a content type that is unknown, 400 for what cannot be read."""
    kind = content_types.kind_of(content_type or content_types.JSON)
    reader = _READERS.get(kind)
    if reader is None:
        raise Refused(415, f"Content type '{kind}' is not supported. Supported content types: {', '.join(_READERS)}.")
    try:
        return _fitted(reader(body), features)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise Refused(400, f"unable to evaluate payload provided: {_said(error)}") from error


def _said(error: Exception) -> str:
    return f"'{error.args[0]}' is missing" if isinstance(error, KeyError) else str(error)


def _fitted(found: Array, features: int) -> Array:
    """Sparse examples may name fewer features than there are; dense ones name all. Raises ValueError."""
    if not examples.usable(found):
        raise ValueError("an example holds values that are no finite numbers")
    if sparse.issparse(found) and found.shape[1] <= features:
        return examples.widened(found, features)
    if found.shape[1] != features:
        raise ValueError(f"an example has {found.shape[1]} features where the model has {features}")
    return found


def _csv(body: bytes) -> Array:
    return examples.csv_table(body)


def _recordio(body: bytes) -> Array:
    return examples.from_recordio(body).features


def _json(body: bytes) -> Array:
    instances = json.loads(body)["instances"]
    if not isinstance(instances, list):
        raise TypeError("'instances' is no list")
    return examples.stacked([_instance(instance) for instance in instances])


def _json_lines(body: bytes) -> Array:
    rows: List[Tensor] = [_instance(json.loads(line)) for line in body.splitlines() if line.strip()]
    return examples.stacked(rows)


def _instance(instance: Mapping[str, Any]) -> Tensor:
    """`{"features": […]}`, or `{"data": {"features": …}}` with a list or `{"keys", "values", "shape"}`."""
    element = instance["data"][_FEATURES] if "data" in instance else instance[_FEATURES]
    if isinstance(element, Mapping):
        keys = [int(key) for key in element.get("keys") or ()]
        if any(key < 0 for key in keys):
            raise ValueError("a sparse example has a negative key")
        shape = [int(size) for size in element.get("shape") or ()] if keys else []
        return Tensor(_numbers(element["values"]), keys, shape)
    return Tensor(_numbers(element))


def _numbers(values: Any) -> Array:  # noqa: ANN401 - whatever JSON holds
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1:
        raise ValueError("features are no list of numbers")
    return found


_READERS: Mapping[str, Callable[[bytes], Array]] = {
    content_types.JSON: _json,
    content_types.JSON_LINES: _json_lines,
    content_types.CSV: _csv,
    content_types.RECORDIO: _recordio,
}
