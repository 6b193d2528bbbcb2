"""`serve` of a built-in algorithm's image: `python -m clary.algorithms.base.serve MODULE:NAME`."""

from __future__ import annotations

import functools
import logging
import os
import sys
from typing import Mapping, Optional, Sequence

from clary.algorithms.base import algorithm, answers, requests, together
from clary.algorithms.base.algorithm import Algorithm
from clary.algorithms.base.answers import Row, Wanted
from clary.algorithms.base.together import Question, Together
from clary.formats import content_types
from clary.toolkit import inference
from clary.toolkit import serve as contract
from clary.toolkit.layout import Layout
from clary.toolkit.server import hosting
from clary.toolkit.server.message import Request, Response

logger = logging.getLogger(__name__)

_MAX_PAYLOAD = 6_291_456


def main() -> int:
    """The exit code."""
    contract.configure_logs(os.environ)
    served = algorithm.named(sys.argv)
    return hosting.host(lambda layout: AlgorithmService(served, layout, os.environ), os.environ)


class AlgorithmService:
    """A loaded model. Raises RuntimeError where there is none."""

    def __init__(self, served: Algorithm, layout: Layout, environ: Mapping[str, str]) -> None:
        self._model = served.load(layout.model)
        self._key, self._offered = served.key, served.offered
        self._accept = environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or content_types.JSON
        self._batch = environ.get("CLARY_BATCH", "")
        self._max_payload = int(environ.get("MAX_CONTENT_LENGTH") or _MAX_PAYLOAD)
        logger.info("Loaded a model of %s with %d features.", served.title, self._model.features)

    def invoke(self, request: Request) -> Response:
        """Raises Refused: 415, 400 or 406 for a request's type, its body, the wanted type."""
        if not request.body.strip():
            return Response(204)
        asked = self.question(request)
        return self.write(self._model.answer(*asked), request)

    def row_wise(self) -> Optional[Together]:
        """Several requests at once, where the model's answers do not show it; tried when it is first asked."""
        return self._together

    @functools.cached_property
    def _together(self) -> Optional[Together]:
        if self._batch == "off" or not together.row_wise(self._model):
            return None
        logger.info("Requests that wait are computed together.")
        return Together(self, self._model)

    def question(self, request: Request) -> Question:
        """What a request asks. Raises Refused, as `invoke`."""
        wanted = self._wanted(request)
        features = requests.read(request.body, request.headers.get("content-type", ""), self._model.features)
        return Question(features, wanted.parameters)

    def write(self, prediction: Sequence[Row], request: Request) -> Response:
        """What the model says as a request's answer. Raises Refused, as `invoke`."""
        wanted = self._wanted(request)
        return Response(200, answers.write(prediction, wanted.kind, self._key), wanted.kind)

    def _wanted(self, request: Request) -> Wanted:
        return answers.wanted(request.headers.get("accept", ""), self._accept, self._offered)

    def execution_parameters(self) -> Response:
        """GET /execution-parameters."""
        return inference.parameters_response(1, self._max_payload)


if __name__ == "__main__":
    sys.exit(main())
