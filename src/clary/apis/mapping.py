"""Parameters and bodies on their way between a method and its integration
(https://docs.aws.amazon.com/apigateway/latest/developerguide/request-response-data-mappings.html)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clary.apis.gateway_responses import GatewayError
from clary.apis.requests import ApiRequest, Matched, context_of
from clary.velocity import Limits, TemplateError, jsonpath, parse
from clary.velocity.limits import Budget
from clary.velocity.text import as_text
from clary.velocity.tools import Input, Util

_LIMITS = Limits()
_SHORT = Limits(seconds=0.05)
"""For what is looked up where all requests are answered."""


@dataclass
class Outgoing:
    """What an integration is asked."""

    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, list[str]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Answered:
    """What an integration has answered. `error` is a function's own, where there was one."""

    status: int
    headers: dict[str, str]
    body: bytes
    error: str | None = None


def configuration_error(detail: str) -> GatewayError:
    """The API was set up so that this request cannot be answered; `detail` is for logs and tests of the method."""
    return GatewayError("API_CONFIGURATION_ERROR", "Internal server error", detail=detail)


class Mapper:
    """The mappings of one request."""

    def __init__(self, request: ApiRequest, matched: Matched) -> None:
        self.request = request
        self.matched = matched
        self.context = context_of(request, matched)

    async def render(self, template: str, body: str) -> str:
        """A template, in a thread: it may take its time. Raises GatewayError."""
        variables = {
            "input": Input(body, self._params()),
            "util": Util(),
            "context": self.context,
            "stageVariables": dict(self.matched.variables),
        }
        try:
            parsed = parse(template)
            return await asyncio.to_thread(parsed.render, variables, _LIMITS)
        except TemplateError as error:
            raise configuration_error(f"Unable to transform: {error}") from error

    def _params(self) -> dict[str, dict[str, str]]:
        headers = _AnyCase(self.request.headers)
        return {"path": self.matched.path_params, "querystring": self.request.last_query, "header": headers}

    def source(self, expression: str, answered: Answered | None = None) -> str | None:
        """What a mapping's right side comes to; None where there is nothing."""
        if expression.startswith("'"):
            return expression[1:-1]
        place, _, name = expression.partition(".")
        if place == "context":
            return _text(_at(self.context, name))
        if place == "stageVariables":
            return self.matched.variables.get(name)
        if expression.startswith("method.request."):
            return self._of_request(expression.removeprefix("method.request."))
        if answered is not None and expression.startswith("integration.response."):
            return _of_answer(expression.removeprefix("integration.response."), answered)
        return None

    def _of_request(self, expression: str) -> str | None:
        place, _, name = expression.partition(".")
        if place == "path":
            return self.matched.path_params.get(name)
        if place in ("querystring", "multivaluequerystring"):
            values = self.request.all_query.get(name)
            return (values[-1] if place == "querystring" else ",".join(values)) if values else None
        if place in ("header", "multivalueheader"):
            return self.request.header(name)
        return _of_body(self.request.text, name)

    def outgoing(self, parameters: Mapping[str, str], body: bytes) -> Outgoing:
        """What the parameters of an integration say."""
        outgoing = Outgoing(body=body)
        for target, expression in parameters.items():
            value = self.source(expression)
            place, _, name = target.removeprefix("integration.request.").partition(".")
            if value is None:
                continue
            if place == "querystring":
                outgoing.query[name] = [value]
            else:
                (outgoing.path if place == "path" else outgoing.headers)[name] = value
        return outgoing

    def overridden(self, outgoing: Outgoing) -> Outgoing:
        """What a template has set in `$context.requestOverride` goes before what was mapped."""
        said = self.context["requestOverride"]
        if isinstance(said, dict):
            outgoing.headers |= _texts(said.get("header"))
            outgoing.path |= _texts(said.get("path"))
            outgoing.query |= {name: [value] for name, value in _texts(said.get("querystring")).items()}
        return outgoing


class _AnyCase(dict[str, str]):
    """Headers by their names in any case."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__(headers)
        self._by_lower = {name.lower(): value for name, value in headers.items()}

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._by_lower

    def __getitem__(self, name: str) -> str:
        return self._by_lower[name.lower()]


def _texts(values: Any) -> dict[str, str]:  # noqa: ANN401 — whatever a template has set
    if not isinstance(values, dict):
        return {}
    return {name: text for name, value in values.items() if (text := _text(value)) is not None}


def _text(value: Any) -> str | None:  # noqa: ANN401 — a value of JSON
    if value is None:
        return None
    return json.dumps(value) if isinstance(value, dict | list) else as_text(value, Budget(_LIMITS))


def _at(value: Any, path: str) -> Any:  # noqa: ANN401 — a value of JSON
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _of_body(body: str, path: str) -> str | None:
    if not path:
        return body
    try:
        return _text(jsonpath.compiled(f"$.{path}").of(json.loads(body), Budget(_SHORT)))
    except (TemplateError, jsonpath.Missing, ValueError, RecursionError):
        return None


def _of_answer(expression: str, answered: Answered) -> str | None:
    place, _, name = expression.partition(".")
    if place in ("header", "multivalueheader"):
        return next((value for key, value in answered.headers.items() if key.lower() == name.lower()), None)
    return _of_body(answered.body.decode("utf-8", "replace"), name)


def to_text(body: bytes) -> bytes:
    """CONVERT_TO_TEXT of a binary body."""
    return base64.b64encode(body)


def to_binary(body: bytes) -> bytes:
    """CONVERT_TO_BINARY of a text. Raises GatewayError."""
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise configuration_error("Unable to base64 decode the body.") from error


def is_binary(media_type: str, binary: list[str]) -> bool:
    """Whether a media type is one of those that an API treats as binary."""
    kind = media_type.partition(";")[0].strip().lower()
    wildcard = kind.partition("/")[0] + "/*"
    return any(each.lower() in (kind, wildcard, "*/*") for each in binary)
