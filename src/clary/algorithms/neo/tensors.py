"""Any model given as ONNX, without a script: `model.onnx`, or the one `.onnx` of the archive.

A JSON array, CSV or NPY is the model's only input, and answered with its first output. A JSON object has inputs by
name, and is answered with all outputs by name.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

import numpy as np

from clary.formats import content_types
from clary.toolkit import arrays, inference
from clary.toolkit.layout import Layout
from clary.toolkit.serve import ONNX_FILE
from clary.toolkit.server.batching import RowWise
from clary.toolkit.server.message import Refused, Request, Response
from clary.toolkit.sessions import ERRORS, Input, Session

logger = logging.getLogger("sagemaker-inference")

Array = Any

_MAX_PAYLOAD = 6_291_456


class TensorsService:
    """A model. Raises RuntimeError where the folder has none, and what the runtime raises for one it cannot load."""

    def __init__(self, layout: Layout, environ: Mapping[str, str]) -> None:
        path = file_of(layout.model)
        self._session = Session(path.read_bytes())
        self._inputs = {each.name: each for each in self._session.inputs}
        self._accept = environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or content_types.JSON
        if any((layout.model / "code").glob("*.py")):
            logger.warning("The script in code/ is not asked: a model given as ONNX is served as it is.")
        logger.info(
            "Loaded %s: inputs %s; outputs %s.",
            path.name,
            ", ".join(f"{each.name} {each.kind}{each.shape}" for each in self._session.inputs),
            ", ".join(self._session.outputs),
        )

    def invoke(self, request: Request) -> Response:
        """Raises Refused: 415 or 400 for a request's type or its body, 406 for the wanted type."""
        content_type = request.headers.get("content-type") or content_types.JSON
        named = _named(request.body) if content_types.parse(content_type)[0] == content_types.JSON else None
        if named is not None:
            found = self._run({name: self._tensor(name, value) for name, value in named.items()})
            plain = {name: value.tolist() for name, value in found.items() if isinstance(value, np.ndarray)}
            return Response(200, json.dumps(plain).encode(), content_types.JSON)
        if len(self._inputs) != 1:
            names = ", ".join(self._inputs)
            raise Refused(400, f"The model has several inputs: send a JSON object with {names}.")
        (name,) = self._inputs
        first = self._run({name: self._tensor(name, arrays.decode(request.body, content_type))})
        accept = self._accepted(request)
        return Response(200, arrays.encode(first[self._session.outputs[0]], accept), accept)

    def row_wise(self) -> Optional[RowWise]:
        """None: nothing is known of the model."""
        return None

    def execution_parameters(self) -> Response:
        """GET /execution-parameters."""
        return inference.parameters_response(1, _MAX_PAYLOAD)

    def _accepted(self, request: Request) -> str:
        accept = request.headers.get("accept") or content_types.ANY
        return self._accept if accept == content_types.ANY else accept

    def _tensor(self, name: str, value: Any) -> Array:  # noqa: ANN401 - whatever the request holds
        """As the model's input wants it: one row may be given without the dimension of rows. Raises Refused."""
        wanted = self._inputs.get(name)
        if wanted is None:
            raise Refused(400, f"The model has no input {name!r}; it has {', '.join(self._inputs)}.")
        try:
            return shaped(np.asarray(value), wanted)
        except (ValueError, TypeError, OverflowError) as error:
            raise Refused(400, f"Input {name} is no tensor of {wanted.kind}: {error}") from error

    def _run(self, given: Mapping[str, Array]) -> Dict[str, Array]:
        try:
            return self._session.run(given)
        except ERRORS as error:
            raise Refused(400, f"The model cannot be asked so: {error}") from error


def shaped(value: Array, wanted: Input) -> Array:
    """Of the input's type, and of as many dimensions. Raises ValueError, TypeError."""
    array = np.ascontiguousarray(value.astype(wanted.kind or "float32"))
    if value.ndim == 1 and wanted.shape[1:] == [1]:
        return array.reshape(-1, 1)
    missing = len(wanted.shape) - value.ndim
    return array.reshape((1,) * missing + value.shape) if missing > 0 else array.reshape(value.shape)


def file_of(folder: Path) -> Path:
    """Raises RuntimeError."""
    named = folder / ONNX_FILE
    found = [named] if named.is_file() else sorted(folder.glob("*.onnx"))
    if len(found) != 1:
        raise RuntimeError(f"The model's archive must hold {ONNX_FILE}, or one other .onnx or .pmml file, at its top.")
    return found[0]


def _named(body: bytes) -> Optional[Dict[str, Any]]:
    """A JSON object's members; None for any other body: it is read as an array then. Raises Refused."""
    if not body.lstrip().startswith(b"{"):
        return None
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"Error while decoding {content_types.JSON}: {error}") from error
    return found if isinstance(found, dict) else None
