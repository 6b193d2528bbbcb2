"""Predictions of built-in XGBoost: bodies in, bodies out, as AWS's container of each version does it."""

from __future__ import annotations

import inspect
import json
import logging
import pickle
from pathlib import Path
from typing import Any, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np
import xgboost
from scipy import sparse, stats

from clary.algorithms.xgboost import data, selectable
from clary.formats import content_types, libsvm
from clary.toolkit import arrays, inference
from clary.toolkit.errors import UserError
from clary.toolkit.layout import Layout
from clary.toolkit.server.message import Refused, Request, Response

logger = logging.getLogger(__name__)

Booster = Any
Matrix = Any
Array = Any

_COMMAS = ("", "1", "0.90-1", "0.90-2", "1.0-1", "1.2-1", "1.2-2")
"""Images that answer in real time with values joined by commas; later ones write one a line."""
_ACCEPTS = (content_types.JSON, content_types.JSON_LINES, content_types.RECORDIO, content_types.CSV)
_VOTED = ("multi:softmax", "binary:hinge")
_MAX_PAYLOAD = 6_291_456


class Model(NamedTuple):
    """A booster, and whether it came as a pickle: those check how many features a request brings."""

    booster: Booster
    pickled: bool


def load(folder: Path, *, ensemble: bool) -> List[Model]:
    """Every model file of the folder (the first alone without `ensemble`).

    Raises RuntimeError where there is none, or one cannot be read.
    """
    paths = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
    if not paths:
        raise RuntimeError(f"No model found in {folder}")
    return [_load_one(path) for path in (paths if ensemble else paths[:1])]


def _load_one(path: Path) -> Model:
    logger.info("Loading the model from %s", path)
    try:
        model = Model(_unpickled(path), pickled=True)
    except Exception as unpickling:  # whatever a file that is no pickle makes of the machine
        model = Model(_native(path, unpickling), pickled=False)
    model.booster.set_param({"nthread": 1})
    return model


def _unpickled(path: Path) -> Booster:
    """The artifact of early images is a pickle; it comes from the user's own model, never from a request."""
    with path.open("rb") as file:
        booster = pickle.load(file)  # noqa: S301
    if not hasattr(booster, "predict"):
        raise TypeError(f"{path.name} holds no booster")
    return booster.get_booster() if hasattr(booster, "get_booster") else booster


def _native(path: Path, unpickling: Exception) -> Booster:
    booster = xgboost.Booster()
    try:
        booster.load_model(str(path))
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise RuntimeError(
            f"Model {path} cannot be loaded:\nPickle load error={unpickling}\nXGB load model error={error}"
        ) from error
    return booster


class XGBoostService:
    """A loaded model, asked with CSV, LIBSVM or RecordIO-protobuf. `image` is the image's version (`1.7-1`)."""

    def __init__(self, layout: Layout, environ: Mapping[str, str], image: str) -> None:
        ensemble = environ.get("SAGEMAKER_INFERENCE_ENSEMBLE", "true") == "true"
        self._models = load(layout.model, ensemble=ensemble)
        self._objective, self._classes = _described(self._models[0].booster)
        self._batch = bool(environ.get("SAGEMAKER_BATCH"))
        self._commas = image in _COMMAS
        self._accept = environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or content_types.CSV
        keys = environ.get("SAGEMAKER_INFERENCE_OUTPUT", "").replace(" ", "").lower()
        self._keys = [key for key in keys.split(",") if key]
        self._max_payload = int(environ.get("MAX_CONTENT_LENGTH") or _MAX_PAYLOAD)
        logger.info("Model objective : %s", self._objective)

    def invoke(self, request: Request) -> Response:
        """Raises Refused: 415 for what cannot be read, 400 for what the model cannot take, 406 for an answer's type."""
        if not request.body:
            return Response(204)
        matrix, kind = read(request.body, request.headers.get("content-type"))
        predictions = self._predict(matrix, kind)
        accept = self._accepted(request.headers.get("accept", ""))
        if self._keys:
            rows = selectable.select(predictions, self._keys, self._objective, self._classes)
            return Response(200, selectable.encode(rows, self._keys, accept, batch=self._batch), accept)
        return Response(200, self._encode(predictions.tolist(), accept), accept)

    def execution_parameters(self) -> Response:
        """GET /execution-parameters."""
        return inference.parameters_response(1, self._max_payload)

    def _accepted(self, header: str) -> str:
        accept = content_types.parse(header)[0]
        if self._commas and not self._keys:
            return content_types.CSV
        if not accept or accept == content_types.ANY:
            return self._accept
        if accept not in _ACCEPTS:
            known = list(_ACCEPTS)
            raise Refused(406, f"Accept type {accept} is not supported. Please use supported accept types: {known}.")
        return accept

    def _encode(self, values: List[Any], accept: str) -> bytes:
        if self._batch:
            return ("\n".join(map(str, values)) + "\n").encode()
        if self._commas:
            return ",".join(map(str, values)).encode()
        if accept == content_types.JSON:
            return json.dumps({"predictions": [{"score": value} for value in values]}).encode()
        if accept == content_types.JSON_LINES:
            return "".join(json.dumps({"score": value}) + "\n" for value in values).encode()
        return arrays.encode(values, accept)

    def _predict(self, matrix: Matrix, kind: str) -> Array:
        try:
            answers = [_predict(model, matrix, kind) for model in self._models]
        except (xgboost.core.XGBoostError, ValueError) as error:
            raise Refused(400, f"Unable to evaluate payload provided: {error}") from error
        if len(answers) == 1:
            return answers[0]
        if self._objective in _VOTED:
            return np.ravel(stats.mode(answers, axis=0)[0])
        return np.mean(answers, axis=0)


def _described(booster: Booster) -> Tuple[str, int]:
    """Objective and number of classes; early versions do not say."""
    if not hasattr(booster, "save_config"):
        return "", 0
    learner = json.loads(booster.save_config())["learner"]
    return learner["objective"]["name"], int(learner["learner_model_param"].get("num_class") or 0)


_BY_ITERATION = "iteration_range" in inspect.signature(xgboost.Booster.predict).parameters


def _predict(model: Model, matrix: Matrix, kind: str) -> Array:
    booster = model.booster
    if model.pickled:
        _check_features(booster, matrix, kind)
    best = _best_iteration(booster)
    if _BY_ITERATION:
        span = (0, best + 1) if best is not None else (0, 0)
        return booster.predict(matrix, iteration_range=span, validate_features=False)
    limit = getattr(booster, "best_ntree_limit", 0)
    return booster.predict(matrix, ntree_limit=limit, validate_features=False)


def _best_iteration(booster: Booster) -> Optional[int]:
    text = booster.attr("best_iteration")
    return int(text) if text is not None else None


def _check_features(booster: Booster, matrix: Matrix, kind: str) -> None:
    names = booster.feature_names
    trained = len(names) if names else booster.num_features()
    given = matrix.num_col()
    if kind == "libsvm" and given > trained + 1:
        raise ValueError(
            f"Feature size of libsvm inference data {given} is larger than feature size of trained model {trained}."
        )
    if kind != "libsvm" and trained not in (given, given - 1):
        raise ValueError(
            f"Feature size of {kind} inference data {given} is not consistent "
            f"with feature size of trained model {trained}."
        )


def read(body: bytes, content_type: Optional[str]) -> Tuple[Matrix, str]:
    """A request's body as a matrix, and its kind. Raises Refused with 415."""
    try:
        kind = data.kind_of(content_type)
    except UserError as error:
        raise Refused(415, str(error)) from error
    try:
        return _READERS[kind](body), kind
    except KeyError:
        raise Refused(415, f"Content-type {content_type} is not supported.") from None
    except (ValueError, UserError) as error:
        text = f"Loading {kind} data failed with Exception, please ensure data is in {kind} format:"
        raise Refused(415, f"{text}\n {type(error)}\n {error}") from error


def _csv(body: bytes) -> Matrix:
    text = body.strip().decode("utf-8")
    first = text.partition("\n")[0][:512]
    delimiter = "," if "," in first or _is_number(first) else data.delimiter_of(first)
    if delimiter.isalnum():
        delimiter = ","
    rows = [[float(cell) if cell else np.nan for cell in line.split(delimiter)] for line in text.split("\n")]
    return _matrix(np.asarray(rows, dtype=float))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _libsvm(body: bytes) -> Matrix:
    found = libsvm.parse_features(body.strip().decode("utf-8"))
    columns = np.asarray(found.column, dtype=np.int64)
    shape = (found.rows, int(columns.max()) + 1 if columns.size else 1)
    if columns.size and columns.min() < 0:
        raise ValueError("negative column index found")
    return _matrix(sparse.csr_matrix((np.asarray(found.value), (np.asarray(found.row), columns)), shape=shape))


def _recordio(body: bytes) -> Matrix:
    return _matrix(data.from_recordio(body)[0])


def _matrix(features: Array) -> Matrix:
    """One thread: handing out work to more costs more than a request's few rows."""
    return xgboost.DMatrix(features, nthread=1)


_READERS = {"csv": _csv, "libsvm": _libsvm, "recordio-protobuf": _recordio}
