"""`serve` of TensorFlow's images: SavedModels, asked in TensorFlow Serving's way
(`python -m clary.toolkit.tensorflow.serve`; docs/decisions/0022)."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from pathlib import Path
from typing import Mapping, Optional

import tensorflow as tf  # type: ignore[import-untyped,import-not-found,unused-ignore]

from clary.formats import content_types
from clary.toolkit import inference, packages
from clary.toolkit.inference import respond
from clary.toolkit.layout import Layout
from clary.toolkit.serve import configure_logs, prepare_sources, start_anew_with_requirements
from clary.toolkit.server import hosting
from clary.toolkit.server.batching import EachAlone
from clary.toolkit.server.listener import Listener, bind
from clary.toolkit.server.message import Request, Response
from clary.toolkit.tensorflow import bodies, rest, saved_models
from clary.toolkit.tensorflow.handlers import Handlers, Target, target_of

_REST_PORT = 8501
"""Where AWS's container has TensorFlow Serving, and where handlers ask it themselves."""
_MAX_BODY = 2**30
_SCRIPT = "inference.py"

logger = logging.getLogger("sagemaker-inference")


class SavedModels(EachAlone):
    """Loaded models, and the user's handlers where there are any."""

    def __init__(self, models: rest.Rest, default: str, handlers: Optional[Handlers]) -> None:
        self._models = models
        self._default = default
        self._handlers = handlers

    def invoke(self, request: Request) -> Response:
        """POST /invocations. Errors have TensorFlow Serving's form, `{"error": …}`."""
        try:
            target = target_of(request, self._default)
        except ValueError as error:
            return rest.failed(400, str(error))
        return self._by_handlers(request, target) if self._handlers else self._directly(request, target)

    def execution_parameters(self) -> Optional[Response]:
        """AWS's container has none."""
        return None

    def _directly(self, request: Request, target: Target) -> Response:
        headers = request.headers
        try:
            body = bodies.to_serving(request.body.decode("utf-8"), headers.get("content-type", ""))
        except bodies.Unsupported as error:
            return rest.failed(415, str(error))
        except UnicodeDecodeError as error:
            return rest.failed(400, str(error))
        answer = self._models.ask(target.model, target.version, target.method, body.encode("utf-8"))
        return _for_accept(answer, headers.get("accept", ""))

    def _by_handlers(self, request: Request, target: Target) -> Response:
        assert self._handlers is not None  # noqa: S101 - for the type checker
        try:
            body, content_type = self._handlers.invoke(request, target)
            return respond((body, content_type), content_type)
        except Exception as error:  # a user's handler may raise anything; the server lives on
            logger.error("exception handling request: %s\n%s", error, traceback.format_exc())  # noqa: TRY400
            return rest.failed(500, str(error))


def _for_accept(answer: Response, accept: str) -> Response:
    """On one line where JSON or JSON lines are asked for, under the content type that is named first."""
    wanted = content_types.accepted(accept)
    if not {content_types.JSON, content_types.JSON_LINES}.intersection(wanted):
        return answer
    return Response(answer.status, answer.body.replace(b"\n", b""), wanted[0])


def main() -> int:
    """Host the SavedModels of the model folder; the exit code."""
    configure_logs(os.environ)
    layout = Layout(os.environ)
    shared = prepare_sources(layout, os.environ)
    start_anew_with_requirements(shared, os.environ)
    packages.offer_public_names()

    def load(of: Layout) -> SavedModels:
        own = of.model != layout.model and (of.model_code / _SCRIPT).is_file()
        return _load(of, of.model_code if own else shared, os.environ)

    return hosting.host(load, os.environ)


def _load(layout: Layout, folder: Path, environ: Mapping[str, str]) -> SavedModels:
    _use_threads(environ)
    found = saved_models.find(layout.model)
    default = environ.get("SAGEMAKER_TFS_DEFAULT_MODEL_NAME") or next(iter(found))
    logger.info("using default model name: %s", default)
    models = rest.Rest(rest.load(found))
    return SavedModels(models, default, _handlers(folder, models))


def _use_threads(environ: Mapping[str, str]) -> None:
    """As many threads as AWS's container gives to its server."""
    within = environ.get("SAGEMAKER_TFS_INTRA_OP_PARALLELISM", "")
    between = environ.get("SAGEMAKER_TFS_INTER_OP_PARALLELISM", "")
    if within.isdigit():
        tf.config.threading.set_intra_op_parallelism_threads(int(within))
    if between.isdigit():
        tf.config.threading.set_inter_op_parallelism_threads(int(between))


def _handlers(folder: Path, models: rest.Rest) -> Optional[Handlers]:
    if not (folder / _SCRIPT).is_file():
        return None
    sys.path[:0] = [str(folder), str(folder / "lib")]
    module = inference.import_script(_SCRIPT)
    logger.info("Serving with the handlers of %s.", folder / _SCRIPT)
    return Handlers(module, lambda target, body: models.ask(*target, body), _offer_rest(models))


def _offer_rest(models: rest.Rest) -> int:
    """TensorFlow Serving's own port, for handlers that ask it themselves; it answers on a thread of its own."""
    try:
        bound = bind(_REST_PORT, "127.0.0.1")
    except OSError:  # another worker of this server has it: any port will do, handlers are told which
        bound = bind(0, "127.0.0.1")
    listener = Listener(bound, models.answer, _MAX_BODY)
    listener.start()
    return listener.port


if __name__ == "__main__":
    sys.exit(main())
