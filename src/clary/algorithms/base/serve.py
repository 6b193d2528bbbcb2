"""`serve` of a built-in algorithm's image: `python -m clary.algorithms.base.serve MODULE:NAME`."""

from __future__ import annotations

import logging
import os
import sys
from typing import List, Mapping

from clary.algorithms.base import algorithm, answers, requests
from clary.algorithms.base.algorithm import Algorithm
from clary.formats import content_types
from clary.toolkit import inference
from clary.toolkit import serve as contract
from clary.toolkit.layout import Layout
from clary.toolkit.server import serving
from clary.toolkit.server.message import Request, Response

logger = logging.getLogger(__name__)

_MAX_PAYLOAD = 6_291_456


def main(arguments: List[str]) -> int:
    """The exit code."""
    contract.configure_logs(os.environ)
    served = algorithm.named(arguments)
    return serving.serve(lambda: AlgorithmService(served, Layout(os.environ), os.environ), os.environ)


class AlgorithmService:
    """A loaded model. Raises RuntimeError where there is none."""

    def __init__(self, served: Algorithm, layout: Layout, environ: Mapping[str, str]) -> None:
        self._model = served.load(layout.model)
        self._key, self._offered = served.key, served.offered
        self._accept = environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or content_types.JSON
        self._max_payload = int(environ.get("MAX_CONTENT_LENGTH") or _MAX_PAYLOAD)
        logger.info("Loaded a model of %s with %d features.", served.title, self._model.features)

    def invoke(self, request: Request) -> Response:
        """Raises Refused: 415, 400 or 406 for a request's type, its body, the wanted type."""
        if not request.body.strip():
            return Response(204)
        wanted = answers.wanted(request.headers.get("accept", ""), self._accept, self._offered)
        features = requests.read(request.body, request.headers.get("content-type", ""), self._model.features)
        rows = self._model.answer(features, wanted.parameters)
        return Response(200, answers.write(rows, wanted.kind, self._key), wanted.kind)

    def execution_parameters(self) -> Response:
        """GET /execution-parameters."""
        return inference.parameters_response(1, self._max_payload)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
