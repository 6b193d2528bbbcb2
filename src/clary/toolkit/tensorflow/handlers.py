"""A user's `inference.py` beside a SavedModel: `input_handler` and `output_handler`, or `handler` alone
(https://github.com/aws/sagemaker-tensorflow-serving-container#prepost-processing)."""

from __future__ import annotations

import io
import re
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

import requests  # type: ignore[import-untyped,import-not-found,unused-ignore]

from clary.formats import content_types
from clary.toolkit.server.message import Request, Response

_ATTRIBUTE = re.compile(r"(tfs-[a-z-]+)=([^,=]+)")
_HEADER = "x-amzn-sagemaker-custom-attributes"
_NOT_BOTH = "Handlers are not implemented correctly in user script."

Data = Any
Function = Any
Module = Any

Ask = Callable[["Target", bytes], Response]
"""Asks a model by TensorFlow Serving's API."""


class Target(NamedTuple):
    """Which model is asked, and how: the `tfs-…` custom attributes of a request."""

    model: str
    version: Optional[int]
    method: str


class Context(NamedTuple):
    """What handlers are told of a request, member for member as AWS's container tells it. There is no gRPC here."""

    model_name: Optional[str]
    model_version: Optional[str]
    method: Optional[str]
    rest_uri: str
    grpc_port: Optional[str]
    channel: None
    custom_attributes: Optional[str]
    request_content_type: str
    accept_header: str
    content_length: int


def target_of(request: Request, default_model: str) -> Target:
    """The model that a request is for. Raises ValueError where its version is no number."""
    given = attributes(request)
    version = given.get("tfs-model-version")
    return Target(
        given.get("tfs-model-name", default_model),
        int(version) if version else None,
        given.get("tfs-method", "predict"),
    )


def attributes(request: Request) -> Dict[str, str]:
    """The `tfs-…` attributes of the custom attributes' header."""
    return dict(_ATTRIBUTE.findall(request.headers.get(_HEADER, "")))


class Handlers:
    """A script's functions around TensorFlow Serving's answer. Raises ValueError for a script without them."""

    def __init__(self, module: Module, ask: Ask, rest_port: int) -> None:
        self._whole: Function = getattr(module, "handler", None)
        self._input: Function = getattr(module, "input_handler", None)
        self._output: Function = getattr(module, "output_handler", None)
        if self._whole is None and (self._input is None or self._output is None):
            raise ValueError(_NOT_BOTH)
        self._ask = ask
        self._port = rest_port

    def invoke(self, request: Request, target: Target) -> Tuple[Data, str]:
        """Body and content type, as the script gives them. Raises what the script raises."""
        context = self._context(request, target)
        data = io.BytesIO(request.body)
        if self._whole is not None:
            found = self._whole(data, context)
        else:
            asked = self._input(data, context)
            body = asked.encode("utf-8") if isinstance(asked, str) else bytes(asked)
            found = self._output(_as_requests(self._ask(target, body), context.rest_uri), context)
        answer, content_type = found
        return answer, content_type

    def _context(self, request: Request, target: Target) -> Context:
        given, headers = attributes(request), request.headers
        version = f"/versions/{target.version}" if target.version is not None else ""
        return Context(
            given.get("tfs-model-name"),
            given.get("tfs-model-version"),
            given.get("tfs-method"),
            f"http://localhost:{self._port}/v1/models/{target.model}{version}:{target.method}",
            None,
            None,
            headers.get(_HEADER),
            headers.get("content-type") or content_types.JSON,
            headers.get("accept") or content_types.JSON,
            len(request.body),
        )


def _as_requests(response: Response, url: str) -> requests.Response:
    """An answer as `requests` gives it: what `output_handler` is written for."""
    made = requests.Response()
    made.status_code = response.status
    made.reason = requests.status_codes._codes.get(response.status, ("",))[0]
    made.headers["Content-Type"] = response.content_type
    made.encoding = "utf-8"
    made.url = url
    made.raw = io.BytesIO(response.body)
    return made
