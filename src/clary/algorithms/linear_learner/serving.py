"""Predictions of Linear Learner: bodies in, bodies out."""

from __future__ import annotations

import logging
from typing import Mapping

from clary.algorithms.linear_learner import answers, model, requests
from clary.formats import content_types
from clary.toolkit import inference
from clary.toolkit.layout import Layout
from clary.toolkit.server.message import Request, Response

logger = logging.getLogger(__name__)

_MAX_PAYLOAD = 6_291_456


class LinearLearnerService:
    """A loaded model. Raises RuntimeError where there is none."""

    def __init__(self, layout: Layout, environ: Mapping[str, str]) -> None:
        self._model = model.load(layout.model)
        self._accept = environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or content_types.JSON
        self._max_payload = int(environ.get("MAX_CONTENT_LENGTH") or _MAX_PAYLOAD)
        logger.info("Loaded a %s of %d features.", self._model.predictor, self._model.features)

    def invoke(self, request: Request) -> Response:
        """Raises Refused: 415, 400 or 406 for a request's type, its body, the wanted type."""
        if not request.body.strip():
            return Response(204)
        kind = answers.content_type(request.headers.get("accept", ""), self._accept)
        features = requests.read(request.body, request.headers.get("content-type", ""), self._model.features)
        return Response(200, answers.write(self._model.answer(features), kind), kind)

    def execution_parameters(self) -> Response:
        """GET /execution-parameters."""
        return inference.parameters_response(1, self._max_payload)
