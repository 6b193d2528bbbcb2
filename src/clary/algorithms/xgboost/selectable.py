"""Selectable inference: which parts of a prediction the answer holds (`SAGEMAKER_INFERENCE_OUTPUT`;
https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost-algorithm.html)."""

from __future__ import annotations

import json
import math
from typing import Any, Callable, Dict, List, Mapping, Sequence

from clary.formats import content_types, recordio
from clary.toolkit.server.message import Refused

Prediction = Any
"""One row's: a number, or an array with a number for each class."""
Part = Any
"""What an answer holds of it: a number or a list of numbers."""

_REGRESSION = ("reg:squarederror", "reg:logistic", "reg:gamma", "reg:absoluteerror", "reg:tweedie")
_SCORES = ("predicted_label", "labels", "raw_score", "raw_scores")
_ALL = (*_SCORES, "probability", "probabilities")
_VALID: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(_REGRESSION, ("predicted_score",)),
    "binary:logistic": _ALL,
    "binary:logitraw": _SCORES,
    "binary:hinge": _SCORES,
    "multi:softmax": _SCORES,
    "multi:softprob": _ALL,
}


def select(
    predictions: Sequence[Prediction], keys: Sequence[str], objective: str, classes: int
) -> List[Dict[str, Any]]:
    """One dict a row; what the objective does not know is NaN. Raises Refused for an objective without any."""
    valid = _VALID.get(objective)
    if valid is None:
        raise Refused(500, f"Objective `{objective}` unsupported for selectable inference predictions.")
    return [
        {key: _PARTS[key](objective, row, classes) if key in valid else math.nan for key in keys} for row in predictions
    ]


def _label(objective: str, row: Prediction, _classes: int) -> Part:
    if objective == "multi:softprob":
        return int(row.argmax())
    if objective == "binary:logistic":
        return int(row > 0.5)
    return int(row > 0) if objective == "binary:logitraw" else row.item()


def _labels(objective: str, _row: Prediction, classes: int) -> Part:
    return [0, 1] if objective.startswith("binary:") else list(range(classes))


def _score(objective: str, row: Prediction, _classes: int) -> Part:
    return row.max().item() if objective == "multi:softprob" else row.item()


def _scores(objective: str, row: Prediction, _classes: int) -> Part:
    return row.tolist() if objective == "multi:softprob" else [1.0 - row.item(), row.item()]


def _value(_objective: str, row: Prediction, _classes: int) -> Part:
    return row.item()


_PARTS: Mapping[str, Callable[[str, Prediction, int], Any]] = {
    "predicted_label": _label,
    "labels": _labels,
    "probability": _score,
    "probabilities": _scores,
    "raw_score": _score,
    "raw_scores": _scores,
    "predicted_score": _value,
}


def encode(rows: Sequence[Mapping[str, Any]], keys: Sequence[str], accept: str, *, batch: bool) -> bytes:
    """The rows as JSON, JSON Lines, RecordIO-protobuf or CSV (lists in quotes)."""
    if accept == content_types.JSON:
        return json.dumps({"predictions": list(rows)}).encode()
    if accept == content_types.JSON_LINES:
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    if accept == content_types.RECORDIO:
        return recordio.write(recordio.Record({}, {key: _tensor(row[key]) for key in row}) for row in rows)
    text = "\n".join(",".join(_cell(row[key]) for key in keys) for row in rows)
    return (text + "\n" if batch else text).encode()


def _tensor(value: Part) -> recordio.Tensor:
    return recordio.Tensor(value if isinstance(value, list) else [value])


def _cell(value: Part) -> str:
    return f'"{value}"' if isinstance(value, list) else str(value)
