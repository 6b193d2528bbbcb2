"""Predictions of built-in XGBoost: bodies in, bodies out, as AWS's container of each version does it."""

from __future__ import annotations

import json
import logging
from typing import Any, List, Mapping, Optional, Sequence

import numpy as np
import xgboost
from scipy import stats

from clary.algorithms.xgboost import bodies, models, selectable
from clary.algorithms.xgboost.bodies import Features
from clary.algorithms.xgboost.names import answers_with_commas
from clary.formats import content_types
from clary.toolkit import arrays, inference
from clary.toolkit.layout import Layout
from clary.toolkit.rows import apart
from clary.toolkit.server.batching import Rows, RowWise
from clary.toolkit.server.hosting import MULTI_MODEL
from clary.toolkit.server.message import Refused, Request, Response

logger = logging.getLogger(__name__)

Array = Any
Asked = Any
"""Of what is computed together: each the numbers of a line, or each Features."""

_ACCEPTS = (content_types.JSON, content_types.JSON_LINES, content_types.RECORDIO, content_types.CSV)
_OF_MANY = (content_types.CSV, content_types.JSON)
"""What AWS's container answers with where it hosts many models: there another server answers."""

_VOTED = ("multi:softmax", "binary:hinge")
_MAX_PAYLOAD = 6_291_456
_LINE = "line"


class XGBoostService:
    """A loaded model, asked with CSV, LIBSVM or RecordIO-protobuf. `image` is the image's version (`1.7-1`)."""

    def __init__(self, layout: Layout, environ: Mapping[str, str], image: str) -> None:
        ensemble = environ.get("SAGEMAKER_INFERENCE_ENSEMBLE", "true") == "true"
        self._models = models.load(layout.model, ensemble=ensemble)
        self._objective, self._classes = self._models[0].described()
        self._batch = bool(environ.get("SAGEMAKER_BATCH"))
        self._alone = environ.get("CLARY_BATCH", "") == "off"
        self._commas = answers_with_commas(image)
        self._many = environ.get(MULTI_MODEL, "").lower() == "true"
        usual = content_types.JSON if self._many else content_types.CSV
        self._accept = environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or usual
        keys = environ.get("SAGEMAKER_INFERENCE_OUTPUT", "").replace(" ", "").lower()
        self._keys = [key for key in keys.split(",") if key]
        self._max_payload = int(environ.get("MAX_CONTENT_LENGTH") or _MAX_PAYLOAD)
        logger.info("Model objective : %s", self._objective)

    def invoke(self, request: Request) -> Response:
        """Raises Refused: 415 for what cannot be read, 400 for what the model cannot take, 406 for an answer's type."""
        if not request.body:
            return Response(204)
        return self.write(self._predict(self._features(request)), request)

    def row_wise(self) -> Optional[RowWise]:
        """The boosters predict rows of one width together as they do one by one: each tree looks at one row at a time,
        and a row's trees are added up in their order."""
        return None if self._alone else self

    def read(self, request: Request) -> Optional[Rows]:
        """Dense rows; sparse ones are asked alone, as is a body of nothing."""
        if not request.body:
            return None
        row = bodies.row(request.body, request.headers.get("content-type"))
        if row is not None:
            return Rows((_LINE, len(row)), 1, row)
        values, kind = self._features(request)
        if not isinstance(values, np.ndarray):
            return None
        return Rows((kind, values.shape[1], values.dtype.char), len(values), Features(values, kind))

    def predict(self, data: Sequence[Asked]) -> List[Array]:
        """Raises Refused, and ValueError where there is not one prediction a row."""
        if isinstance(data[0], list):
            return apart(self._predict(bodies.table(data)), [1] * len(data))
        predictions = self._predict(Features(np.concatenate([each.values for each in data]), data[0].kind))
        return apart(predictions, [len(each.values) for each in data])

    def write(self, predictions: Array, request: Request) -> Response:
        """Predictions as their request's answer. Raises Refused: 406, of many models 415."""
        accept = self._accepted(request.headers.get("accept", ""))
        if self._many:
            return Response(200, _encode_of_many(predictions.tolist(), accept), accept)
        if self._keys:
            rows = selectable.select(predictions, self._keys, self._objective, self._classes)
            return Response(200, selectable.encode(rows, self._keys, accept, batch=self._batch), accept)
        return Response(200, self._encode(predictions.tolist(), accept), accept)

    def execution_parameters(self) -> Response:
        """GET /execution-parameters."""
        return inference.parameters_response(1, self._max_payload)

    def _features(self, request: Request) -> Features:
        return bodies.read(request.body, request.headers.get("content-type"))

    def _accepted(self, header: str) -> str:
        accept = content_types.kind_of(header)
        if self._many:
            return self._accept if accept in ("", content_types.ANY) else accept
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

    def _predict(self, features: Features) -> Array:
        try:
            answers = [model.predict(features) for model in self._models]
        except (xgboost.core.XGBoostError, ValueError) as error:
            raise Refused(400, f"Unable to evaluate payload provided: {error}") from error
        if len(answers) == 1:
            return answers[0]
        if self._objective in _VOTED:
            return np.ravel(stats.mode(answers, axis=0)[0])
        return np.mean(answers, axis=0)


def _encode_of_many(values: List[Any], accept: str) -> bytes:
    if accept == content_types.CSV:
        return ",".join(map(str, values)).encode()
    if accept == content_types.JSON:
        return json.dumps(values).encode()
    known = f"{accept} is not an accepted Accept type. Please choose one of the following: {list(_OF_MANY)}."
    raise Refused(415, f"Encoding to accept type {accept} failed with exception: {known}")
