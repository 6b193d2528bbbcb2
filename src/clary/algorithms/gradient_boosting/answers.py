"""`inference.py`: requests in CSV, answers as JumpStart's notebooks print them
(https://github.com/aws/amazon-sagemaker-examples, introduction_to_amazon_algorithms/lightgbm_catboost_tabular)."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
import pandas as pd

from clary.algorithms.gradient_boosting import models
from clary.algorithms.gradient_boosting.models import Model
from clary.formats import content_types
from clary.toolkit.server.message import Refused

Array = Any
"""A numpy array."""

_VERBOSE = ";verbose"
_PROBABILITIES, _ONE_COLUMN = "probabilities", "probabilities-1d"
_LABELS = "labels"
"""The classes, once for all examples: probabilities stand in their order."""
_KINDS = (content_types.JSON, content_types.JSON_LINES, content_types.CSV)


def model_fn(model_dir: str) -> Model:
    """Raises RuntimeError where there is no model."""
    return models.load(Path(model_dir))


def transform_fn(model: Model, body: Any, content_type: str, accept: str) -> Tuple[str, str]:  # noqa: ANN401
    """An answer's body and its type. Raises Refused: 415, 400 or 406 for a request's type, its body, its wish."""
    if content_types.parse(content_type)[0] != content_types.CSV:
        raise Refused(415, f"Content type '{content_type}' is not supported. Supported content types: text/csv.")
    wanted, verbose = _wanted(accept)
    text = body.decode("utf-8", "replace") if isinstance(body, (bytes, bytearray)) else body
    try:
        found = model.predict(_table(model, text))
    except (ValueError, TypeError, pd.errors.ParserError) as error:
        raise Refused(400, f"unable to evaluate payload provided: {error}") from error
    return _written(_columns(model, found, verbose), found, wanted), wanted


def _wanted(accept: str) -> Tuple[str, bool]:
    """The content type, and whether labels are told beside the probabilities."""
    verbose = accept.replace(" ", "").endswith(_VERBOSE)
    for kind in content_types.accepted(accept):
        if kind in (content_types.ANY, *_KINDS):
            return (content_types.JSON if kind == content_types.ANY else kind), verbose
    raise Refused(406, f"Accept type '{accept}' is not supported. Supported accept types: {', '.join(_KINDS)}.")


def _table(model: Model, text: str) -> Any:  # noqa: ANN401 - a DataFrame
    """Raises ValueError."""
    try:
        found = pd.read_csv(io.StringIO(text), header=None, low_memory=False)
    except pd.errors.EmptyDataError:
        raise ValueError("the body is empty") from None
    if found.shape[1] != model.features:
        raise ValueError(f"an example has {found.shape[1]} features where the model has {model.features}")
    return models.frame(found.astype(np.float64))


def _columns(model: Model, found: Array, verbose: bool) -> Dict[str, List[Any]]:
    """What is told of each example, by name."""
    if model.labels is None:
        return {"prediction": found.tolist()}
    told: Dict[str, List[Any]] = {_PROBABILITIES: found.tolist()}
    if len(model.labels) == 2:
        told[_ONE_COLUMN] = found[:, 1:].tolist()
    if verbose:
        best = np.argmax(found, axis=1)
        told[_LABELS] = list(model.labels)
        told["predicted_label"] = [model.labels[place] for place in best.tolist()]
    return told


def _written(told: Dict[str, List[Any]], found: Array, kind: str) -> str:
    if kind == content_types.JSON:
        return json.dumps(told)
    if kind == content_types.CSV:
        rows = found.tolist() if found.ndim == 2 else [[value] for value in found.tolist()]
        return "".join(",".join(map(repr, row)) + "\n" for row in rows)
    once = {_LABELS: told.pop(_LABELS)} if _LABELS in told else {}
    lines = (dict(zip(told, row)) for row in zip(*told.values()))  # noqa: B905 - Python 3.8
    return "".join(json.dumps({**line, **once}) + "\n" for line in lines)
