"""TensorFlow Serving's Classify and Regress by JSON: `examples` of features → `results`
(https://github.com/tensorflow/serving/blob/master/tensorflow_serving/g3doc/api_rest.md#classify-and-regress-api)."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

import numpy as np
import tensorflow as tf  # type: ignore[import-untyped,import-not-found,unused-ignore]

from clary.toolkit.tensorflow import json_tensors
from clary.toolkit.tensorflow.json_tensors import Array, Invalid, Json, decode_base64, shown

Feature = Any
"""A `tf.train.Feature`."""
Value = Any
"""What a feature's list takes: bytes, or a number."""
_LIMIT = 2**63


def read(request: Mapping[str, Json]) -> Array:
    """The examples as serialized `tf.train.Example`s, one bytes object each. Raises Invalid."""
    context = _features(request["context"]) if "context" in request else {}
    if "examples" not in request:
        raise Invalid(
            f"JSON Value: {shown(request)} When method is classify, key 'examples' is expected and was not found"
        )
    examples = request["examples"]
    if not isinstance(examples, list):
        raise Invalid(f"JSON Value: {shown(request)} Expecting 'examples' value to be an list/array")
    if not examples:
        raise Invalid(f"JSON Value: {shown(request)} 'examples' value is an empty array")
    serialized = [_serialized({**context, **_features(example)}) for example in examples]
    found = np.empty(len(serialized), dtype=object)
    found[:] = serialized
    return found


def _serialized(features: Dict[str, Feature]) -> bytes:
    made = tf.train.Example(features=tf.train.Features(feature=features))
    return bytes(made.SerializeToString())


def _features(example: Json) -> Dict[str, Feature]:
    if not isinstance(example, dict):
        raise Invalid(f"Example must be JSON object but got JSON {json_tensors.type_name(example)}")
    return {name: _feature(name, value if isinstance(value, list) else [value]) for name, value in example.items()}


def _feature(name: str, values: List[Json]) -> Feature:
    kind: Optional[str] = None
    converted = []
    for value in values:
        found = _kind(name, value)
        if kind is not None and found != kind:
            raise Invalid(f"Unexpected element type in feature: {name} expecting type: {kind}")
        kind = found
        converted.append(_converted(name, value, found))
    if kind == "bytes":
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=converted))
    if kind == "float":
        return tf.train.Feature(float_list=tf.train.FloatList(value=converted))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=converted)) if kind else tf.train.Feature()


def _kind(name: str, value: Json) -> str:
    if isinstance(value, (str, dict)) and (isinstance(value, str) or json_tensors.is_base64(value)):
        return "bytes"
    if isinstance(value, float):
        return "float"
    if isinstance(value, int):
        return "int64"
    raise Invalid(f"Feature: {name} has element with unexpected JSON type: {json_tensors.type_name(value)}")


def _converted(name: str, value: Json, kind: str) -> Value:
    if kind == "bytes":
        return value.encode("utf-8") if isinstance(value, str) else decode_base64(value)
    if kind == "int64" and not -_LIMIT <= int(value) < _LIMIT:
        raise Invalid(f"Feature: {name} has uint64 element. Only int64 is supported.")
    return value


def write_classes(outputs: Mapping[str, Array]) -> str:
    """`classes` and `scores`, of shape (examples, classes), as pairs; a label is empty where the model has none."""
    labels, scores = outputs.get("classes"), outputs.get("scores")
    if labels is None and scores is None:
        raise Invalid("Cannot convert empty ClassificationResults to JSON")
    names = json_tensors.tokens("classes", labels) if labels is not None else None
    numbers = json_tensors.tokens("scores", scores) if scores is not None else None
    count = len(names if names is not None else numbers or [])
    rows = []
    for row in range(count):
        width = len((names or numbers or [])[row])
        pairs = [
            [names[row][place] if names else '""', numbers[row][place] if numbers else "0.0"] for place in range(width)
        ]
        rows.append(json_tensors.on_one_line(pairs))
    return f'{{\n    "results": [{", ".join(rows)}\n    ]\n}}'


def write_values(outputs: Mapping[str, Array]) -> str:
    """`outputs`, of shape (examples,) or (examples, 1), as a list."""
    values = outputs.get("outputs")
    if values is None or not values.size:
        raise Invalid("Cannot convert empty RegressionResults to JSON")
    return f'{{\n    "results": {json_tensors.on_one_line(json_tensors.tokens("outputs", values.reshape(-1)))}\n}}'
