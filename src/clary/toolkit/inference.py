"""A user's inference script: `model_fn`, `input_fn`, `predict_fn`, `output_fn`, or `transform_fn` for the last three.

What the script leaves out is done as the framework's container does it
(https://sagemaker.readthedocs.io/en/stable/frameworks/sklearn/using_sklearn.html#load-a-model).
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Protocol, Tuple

from clary.formats import content_types
from clary.toolkit import arrays
from clary.toolkit.layout import Layout
from clary.toolkit.rows import Stacked, TableOf
from clary.toolkit.server.batching import Rows, RowWise
from clary.toolkit.server.message import Refused, Request, Response

_NO_MODEL_FN = (
    "\nPlease provide a model_fn implementation.\n"
    "See documentation for model_fn at https://github.com/aws/sagemaker-python-sdk\n"
)
_BOTH = "Cannot use transform_fn implementation with input_fn, predict_fn, and/or output_fn"

Function = Callable[..., Any]
Data = Any
"""Whatever a user's function is given or returns."""
Model = Any
Module = Any
"""A user's script: any attribute may be there."""


class Defaults(Protocol):
    """What a framework does where the script does not say."""

    def model_fn(self, model_dir: str) -> Model:
        """The model in that folder."""
        ...

    def input_fn(self, data: Data, content_type: str) -> Data:
        """A request's body (text for CSV and JSON, else bytes) as what the model takes."""
        ...

    def predict_fn(self, data: Data, model: Model) -> Data:
        """The model's prediction."""
        ...

    def output_fn(self, prediction: Data, accept: str) -> Data:
        """The prediction as the answer's body, or (body, content type)."""
        ...

    def stacked(self, model: Model) -> Optional[Stacked]:
        """How requests are computed together where all functions are the framework's; None where they cannot be."""
        ...

    @property
    def table_of(self) -> Optional[TableOf]:
        """What `input_fn` makes of bodies of one line of CSV each; None where that is no table."""
        ...

    def loaded(self, model: Model) -> Model:
        """What `model_fn` gave, the script's or the framework's, made ready."""
        ...


class ScriptsLoad:
    """For frameworks whose models only the script can load."""

    def model_fn(self, _model_dir: str) -> Model:
        """Raises NotImplementedError, in the public toolkits' words."""
        raise NotImplementedError(_NO_MODEL_FN)


class AsItIs:
    """For frameworks of which nothing is known about how predictions depend on rows."""

    def loaded(self, model: Model) -> Model:
        """The model itself."""
        return model

    def stacked(self, _model: Model) -> Optional[Stacked]:
        """None."""
        return None

    table_of = None


class Context(NamedTuple):
    """What functions with one more parameter are given, as far as the public toolkit's context is used."""

    system_properties: Dict[str, Any]
    request: Optional[Request] = None


class ScriptService:
    """A loaded model with its script's functions (`module` is None where there is no script).

    Raises what the script raises while it loads.
    """

    def __init__(self, module: Module, defaults: Defaults, layout: Layout, environ: Mapping[str, str]) -> None:
        self._context = Context({"model_dir": str(layout.model)})
        self._defaults = defaults
        self._accept = environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or content_types.JSON
        own = {name: getattr(module, name, None) for name in ("input_fn", "predict_fn", "output_fn", "transform_fn")}
        transform = own.pop("transform_fn")
        if transform and any(own.values()):
            raise ValueError(_BOTH)
        self._transform = self._with_context(transform, 4) if transform else None
        self._input = self._with_context(own["input_fn"] or defaults.input_fn, 2)
        self._predict = self._with_context(own["predict_fn"] or defaults.predict_fn, 2)
        output = defaults.output_fn if own["predict_fn"] is None else _parts_or(defaults.output_fn)
        self._output = self._with_context(own["output_fn"] or output, 2)
        self.reads_itself = own["input_fn"] is not None
        """What a request is read into is the script's, which may use it again for the next."""
        self._own = bool(transform or any(own.values()))
        self._table_of = defaults.table_of if own["input_fn"] is None else None
        self._batch = environ.get("CLARY_BATCH", "")
        self._parameters = getattr(module, "execution_parameters_fn", None)
        load = self._with_context(getattr(module, "model_fn", None) or defaults.model_fn, 1)
        self._model = defaults.loaded(load(str(layout.model)))

    def _with_context(self, function: Function, arguments: int) -> Function:
        """The function as it is, or given the context as well where it has one parameter more."""
        count = len(inspect.signature(function).parameters)
        if count == arguments + 1:
            return lambda *given: function(*given, self._context)
        return function

    def invoke(self, request: Request) -> Response:
        """Run the script's functions over one request."""
        body, content_type = _asked(request)
        accept = self._accepted(request)
        if self._transform is not None:
            return respond(self._transform(self._model, body, content_type, accept), accept)
        return respond(self._output(self._predict(self._input(body, content_type), self._model), accept), accept)

    def row_wise(self) -> Optional[RowWise]:
        """The same functions over the rows of several requests; looked for when it is first asked."""
        return self._together

    @functools.cached_property
    def _together(self) -> Optional[RowWise]:
        if self._batch == "off" or self._transform is not None:
            return None
        if not self._own:
            stacked = self._defaults.stacked(self._model)
        else:
            asked = self._batch == "on"
            stacked = Stacked(lambda rows: self._predict(rows, self._model), 0, self._table_of) if asked else None
        return _Together(self, stacked) if stacked is not None else None

    def read(self, request: Request) -> Data:
        """What the model is given for a request."""
        return self._input(*_asked(request))

    def write(self, prediction: Data, request: Request) -> Response:
        """A prediction as the answer to its request."""
        accept = self._accepted(request)
        return respond(self._output(prediction, accept), accept)

    def _accepted(self, request: Request) -> str:
        accept = request.headers.get("accept") or content_types.ANY
        return self._accept if accept == content_types.ANY else accept

    def execution_parameters(self) -> Optional[Response]:
        """What the script's `execution_parameters_fn` answers, where it has one."""
        if self._parameters is None:
            return None
        return respond(self._parameters(), content_types.JSON)


def _parts_or(output: Function) -> Function:
    """A framework's function for whole predictions; what a script's `predict_fn` yields are parts of the answer."""

    def write(prediction: Data, accept: str) -> Data:
        return prediction if isinstance(prediction, Iterator) else output(prediction, accept)

    return write


class _Together:
    """Several requests to one script."""

    def __init__(self, service: ScriptService, stacked: Stacked) -> None:
        self._service = service
        self._stacked = stacked
        self.predict = stacked.predict
        self.write = service.write

    def read(self, request: Request) -> Optional[Rows]:
        """None for what is no table of numbers."""
        if request.headers.get("content-type") == content_types.CSV:
            line = self._stacked.line(request.body.decode("utf-8"))
            if line is not None:
                return line
        rows = self._stacked.rows(self._service.read(request))
        return rows._replace(data=rows.data.copy()) if rows is not None and self._service.reads_itself else rows


def _asked(request: Request) -> Tuple[Data, str]:
    headers = request.headers
    content_type = headers.get("content-type") or headers.get("contenttype") or content_types.JSON
    return _content(request.body, content_type), content_type


def _content(body: bytes, content_type: str) -> Data:
    """Text for CSV and JSON, as the public containers hand it to `input_fn`. Raises Refused with 400."""
    if content_type not in content_types.UTF8:
        return body
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(400, f"Error while decoding {content_type}: {error}") from error


def respond(result: Data, accept: str) -> Response:
    """What a function may return as an answer: text, bytes, (body, content type), a Flask-like response, data, or an
    iterator of any of the first and the last: each is a part of the answer."""
    value, content_type = result, accept
    if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], str):
        value, content_type = result
    if isinstance(value, bytes):  # the frameworks' own
        return Response(200, value, content_type)
    if not isinstance(value, str) and isinstance(value, Iterator):
        return Response(200, b"", content_type, _parts(value, content_type))
    if hasattr(result, "get_data"):
        return _like_flask(result, accept)
    return Response(200, _body(value, content_type), content_type)


def _parts(values: Iterator[Data], content_type: str) -> Iterator[bytes]:
    """Each value that a function yields, as a part of the answer."""
    try:
        for value in values:
            yield _body(value, content_type)
    finally:
        close = getattr(values, "close", None)
        if close is not None:
            close()


def _like_flask(result: Data, accept: str) -> Response:
    status = int(getattr(result, "status_code", 200))
    return Response(status, bytes(result.get_data()), str(getattr(result, "mimetype", None) or accept))


def _body(value: Data, content_type: str) -> bytes:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, str):
        return value.encode("utf-8")
    if content_type in (content_types.CSV, content_types.NPY):
        return arrays.encode(value, content_type)
    return arrays.encode(value, content_types.JSON)


def script_file(folder: Path, name: str) -> Path:
    """Where a script lies in its folder; `name` is a module's or a file's name."""
    return folder / (name if name.endswith(".py") else name + ".py")


def import_script(name: str) -> Module:
    """The user's module; `name` is a module's or a file's name. Raises what it raises."""
    module = name[:-3] if name.endswith(".py") else name
    return importlib.import_module(module.replace("/", "."))


def parameters_response(workers: int, max_payload_bytes: int, strategy: str = "MULTI_RECORD") -> Response:
    """GET /execution-parameters of a built-in algorithm."""
    body = {
        "MaxConcurrentTransforms": workers,
        "BatchStrategy": strategy,
        "MaxPayloadInMB": max_payload_bytes // 2**20,
    }
    return Response(200, json.dumps(body).encode(), content_types.JSON)


def functions_of(module: Module) -> List[str]:
    """Which of the contract's functions a script defines: for a line in the log."""
    names = ("model_fn", "input_fn", "predict_fn", "output_fn", "transform_fn")
    return [name for name in names if hasattr(module, name)]
