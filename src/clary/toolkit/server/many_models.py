"""Many models in one container: the `/models` contract of multi-model endpoints
(https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html).

    POST /models {"model_name": …, "url": …}    200, 409 it is loaded already, 507 there is no memory for it
    GET /models, GET /models/NAME, DELETE /models/NAME, POST /models/NAME/invoke    404 it is not loaded

Each model has a process, with the model server that a single model would have (`model_forks.py`).
"""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from clary.toolkit.server import batching, serving
from clary.toolkit.server.listener import Exchange, Listener, bind
from clary.toolkit.server.message import Request, Response
from clary.toolkit.server.model_forks import Forks, Gone, LoadFolder, Started
from clary.toolkit.server.model_line import Line

MEMORY = "CLARY_MODELS_MEMORY_BYTES"
"""What all models together may take; no limit where it is not set."""

_MODELS = "/models"
_INVOKE = "invoke"
_JSON = "application/json"
_PONG = Response(200)
_NOT_FOUND = Response(404, b"Not Found")
_WRONG_METHOD = Response(405, b"Method Not Allowed")

logger = logging.getLogger("sagemaker-inference")


class Loaded(NamedTuple):
    """One model, loaded or being loaded."""

    name: str
    url: str
    started: Started
    line: Line

    def shown(self) -> Dict[str, str]:
        """As GET tells it."""
        return {"modelName": self.name, "modelUrl": self.url}


def serve(load: LoadFolder, environ: Mapping[str, str]) -> int:
    """Serve until SIGTERM; the exit code."""
    forks = Forks(load)
    listener = Listener(bind(serving.port(environ)), _immediate, serving.MAX_BODY)
    signal.signal(signal.SIGTERM, lambda _number, _frame: listener.end())
    listener.start()
    logger.info("Listening on %s for many models.", listener.place)
    models = Models(forks, listener, int(environ.get(MEMORY) or 0))
    _answer_until_end(models, listener)
    listener.refuse_more()
    while not listener.requests.empty():
        for exchange in listener.take(1, 1):
            models.take(exchange)
    models.close()
    listener.stop()
    forks.close()
    return 0


def _immediate(request: Request) -> Optional[Response]:
    """What needs no model."""
    if request.path == "/ping":
        return _PONG
    return None if request.path == _MODELS or request.path.startswith(_MODELS + "/") else _NOT_FOUND


def _answer_until_end(models: Models, listener: Listener) -> None:
    while True:
        taken = listener.take(batching.MOST_REQUESTS, batching.MOST_BYTES)
        if not taken:
            return
        for exchange in taken:
            models.take(exchange)


class Models:
    """Those that are loaded. `memory` in bytes, 0: as much as there is."""

    def __init__(self, forks: Forks, listener: Listener, memory: int) -> None:
        self._forks = forks
        self._listener = listener
        self._memory = memory
        self._lock = threading.Lock()
        self._loaded: Dict[str, Loaded] = {}
        self._open = 0
        self._all_ended = threading.Event()

    def take(self, exchange: Exchange) -> None:
        """See that a request is answered; waits for no model."""
        request = exchange.request
        _, _, name, *rest = [*request.path.split("/"), ""]
        if not name:
            self._of_all(exchange)
        elif rest == [""]:
            self._of_one(exchange, name)
        elif rest == [_INVOKE, ""]:
            self._invoke(exchange, name)
        else:
            self._say(exchange, _NOT_FOUND)

    def close(self) -> None:
        """Answer what waits, and end all models' processes."""
        with self._lock:
            loaded, self._loaded = list(self._loaded.values()), {}
            if not self._open:
                self._all_ended.set()
        for model in loaded:
            model.line.close()
        self._all_ended.wait()

    def _of_all(self, exchange: Exchange) -> None:
        method = exchange.request.method
        if method == "GET":
            self._say(exchange, _json(200, {"models": [model.shown() for model in self._living()]}))
        elif method == "POST":
            self._load(exchange)
        else:
            self._say(exchange, _WRONG_METHOD)

    def _of_one(self, exchange: Exchange, name: str) -> None:
        model = self._find(name)
        if model is None:
            self._say(exchange, _error(404, f"The model {name} is not loaded."))
        elif exchange.request.method == "GET":
            self._say(exchange, _json(200, model.shown()))
        elif exchange.request.method == "DELETE":
            self._leave(model, exchange, _json(200, model.shown()))
        else:
            self._say(exchange, _WRONG_METHOD)

    def _invoke(self, exchange: Exchange, name: str) -> None:
        model = self._find(name)
        if exchange.request.method != "POST":
            self._say(exchange, _WRONG_METHOD)
        elif model is None:
            self._say(exchange, _error(404, f"The model {name} is not loaded."))
        else:
            model.line.ask(exchange)

    def _load(self, exchange: Exchange) -> None:
        try:
            asked = json.loads(exchange.request.body)
            name, url = str(asked["model_name"]), str(asked["url"])
        except (ValueError, TypeError, KeyError):
            self._say(exchange, _error(400, "A model is loaded by a model_name and a url."))
            return
        if self._find(name) is not None:
            self._say(exchange, _error(409, f"The model {name} is loaded already."))
        elif self._memory and self._taken() + _size(Path(url)) > self._memory:
            self._say(exchange, _error(507, f"There is no memory for the model {name}."))
        else:
            self._begin(exchange, name, url)

    def _begin(self, exchange: Exchange, name: str, url: str) -> None:
        try:
            with self._lock:
                started = self._forks.begin(url)
                line = self._line(started)
        except Gone as error:
            logger.error("%s; this server ends too.", error)  # noqa: TRY400 - nothing of ours has failed
            self._say(exchange, _error(500, str(error)))
            self._listener.end()
            return
        except OSError as error:
            self._say(exchange, _error(507, f"The model {name} cannot be started: {error}"))
            return
        model = Loaded(name, url, started, line)
        with self._lock:
            self._loaded[name] = model
            self._open += 1
        line.start(lambda well: self._told(exchange, model, well), lambda: self._ended(model))

    def _line(self, started: Started) -> Line:
        try:
            return Line(started.place, self._listener.answer)
        except OSError:
            self._forks.end(started)
            raise

    def _told(self, exchange: Exchange, model: Loaded, well: bool) -> None:
        """On the model's thread: it has loaded, or has not."""
        if not well:
            why = self._forks.why(model.started) or f"The process of the model {model.name} ended while it loaded it."
            self._leave(model, exchange, Response(500, why.encode("utf-8", "replace")))
        elif self._memory and self._others(model) and self._taken() > self._memory:
            self._leave(model, exchange, _error(507, f"The memory is too small for the model {model.name} as well."))
        else:
            logger.info("Loaded the model %s.", model.name)
            self._say(exchange, _json(200, model.shown()))

    def _leave(self, model: Loaded, exchange: Exchange, response: Response) -> None:
        """Its last answers first; then its memory is free, and then whoever waits for that is told. One that is still
        being loaded has no answers to give."""
        self._drop(model)
        model.line.farewells.append((exchange, response))
        with self._lock:
            if not model.line.ready:
                os.kill(model.started.pid, signal.SIGKILL)  # its id is its own until `_ended` has it reaped
        model.line.close()

    def _ended(self, model: Loaded) -> None:
        """On the model's thread: nothing is with it any more."""
        with self._lock:
            self._forks.end(model.started)
            self._open -= 1
            if not self._open and not self._loaded:
                self._all_ended.set()
        logger.info("The model %s has left.", model.name)
        self._listener.answer(model.line.farewells)

    def _find(self, name: str) -> Optional[Loaded]:
        """None also where its process has died: it may be loaded again."""
        with self._lock:
            model = self._loaded.get(name)
        if model is None or model.line.alive:
            return model
        self._drop(model)
        model.line.close()
        return None

    def _living(self) -> List[Loaded]:
        with self._lock:
            return [model for model in self._loaded.values() if model.line.alive]

    def _others(self, model: Loaded) -> bool:
        return any(other is not model for other in self._living())

    def _drop(self, model: Loaded) -> None:
        with self._lock:
            if self._loaded.get(model.name) is model:
                del self._loaded[model.name]

    def _taken(self) -> int:
        return sum(_memory_of(model.started.pid) for model in self._living())

    def _say(self, exchange: Exchange, response: Response) -> None:
        self._listener.answer([(exchange, response)])


def _memory_of(pid: int) -> int:
    """Bytes of a process, its part of what it shares with others included; 0 where it is gone."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return 0
    return 0


def _size(folder: Path) -> int:
    """Bytes of the files below a folder: no model takes less, as far as it can be said before."""
    return sum(_bytes_of(Path(root, name)) for root, _, names in os.walk(str(folder)) for name in names)


def _bytes_of(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:  # it has just been removed
        return 0


def _json(status: int, document: Dict[str, Any]) -> Response:
    return Response(status, json.dumps(document).encode(), _JSON)


def _error(status: int, message: str) -> Response:
    return _json(status, {"code": status, "message": message})
