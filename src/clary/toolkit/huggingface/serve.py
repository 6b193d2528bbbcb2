"""`serve` of Hugging Face's images (`python -m clary.toolkit.huggingface.serve`)."""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from typing import Optional

from clary.formats import content_types
from clary.toolkit import serve as framework
from clary.toolkit.huggingface.pipelines import Pipelines
from clary.toolkit.inference import ScriptService
from clary.toolkit.server import hosting
from clary.toolkit.server.batching import EachAlone
from clary.toolkit.server.message import Request, Response

logger = logging.getLogger("sagemaker-inference")


class Toolkit(EachAlone):
    """A script's service whose every error is the client's, in the form of the server that AWS's image runs."""

    def __init__(self, service: ScriptService) -> None:
        self._service = service

    def invoke(self, request: Request) -> Response:
        """POST /invocations."""
        try:
            return self._service.invoke(request)
        except Exception as error:  # pipelines and scripts may raise anything; the server lives on
            logger.error("%s\n%s", error, traceback.format_exc())  # noqa: TRY400 - one text for the log
            body = {"code": 400, "type": "InternalServerException", "message": str(error)}
            return Response(400, json.dumps(body, indent=2).encode("utf-8") + b"\n", content_types.JSON)

    def execution_parameters(self) -> Optional[Response]:
        """What the script's `execution_parameters_fn` answers, where it has one."""
        return self._service.execution_parameters()


def main() -> int:
    """Host the model as the environment says; the exit code."""
    load = framework.prepare(Pipelines(os.environ))
    return hosting.host(lambda layout: Toolkit(load(layout)), os.environ)


if __name__ == "__main__":
    sys.exit(main())
