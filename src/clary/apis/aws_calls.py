"""Integrations with AWS services: a request in a service's own protocol, read as the service would, becomes a call."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote

from clary.apis.effects import Effects
from clary.apis.targets import Target
from clary.calls import Call, Principal
from clary.errors import AWSError
from clary.wire import models
from clary.wire.http import Extent, Flow, HttpRequest, HttpResponse
from clary.wire.protocols import FORMS, PROTOCOLS, name_of
from clary.wire.query import form
from clary.wire.routes import BadPath, Routes
from clary.wire.values import Mismatch, is_streaming

MOST_BYTES = 10 * 2**20
"""API Gateway's payload limit: an object larger than that is no answer."""


class Unusable(Exception):
    """The target names no operation, or one that cannot be asked for like this."""


@dataclass(frozen=True)
class Asked:
    """An operation with its parameters."""

    service: str
    operation: str
    params: dict[str, Any]


def asked(target: Target, request: HttpRequest) -> Asked:
    """What the request asks for. Raises Unusable, AWSError where it does not fit the operation's model."""
    model = models.load(target.service)
    protocol = name_of(model)
    operation, labels = _operation(target, request, protocol)
    if not operation or operation not in model.operation_names:
        raise Unusable(f"{target.service} has no operation for {request.method} {target.path or target.action}")
    shape = models.operation(target.service, operation)
    if shape.input_shape is not None and is_streaming(shape.input_shape):
        raise Unusable(f"{target.service}.{operation} takes its body as a stream")
    if protocol in FORMS:
        request = _as_form(request, operation, model.api_version)
    return Asked(target.service, operation, PROTOCOLS[protocol].parse(request, shape, labels))


def _operation(target: Target, request: HttpRequest, protocol: str) -> tuple[str, Mapping[str, str]]:
    if target.action:
        return target.action, {}
    if protocol in ("rest-json", "rest-xml"):
        try:
            match = _routes(target.service).find(request)
        except BadPath:
            match = None
        return (match.operation, match.labels) if match else ("", {})
    if protocol in FORMS:
        try:
            return form(request).get("Action", ""), {}
        except Mismatch:
            return "", {}
    return request.headers.get("x-amz-target", "").rpartition(".")[2], {}


@cache
def _routes(service: str) -> Routes:
    return Routes(models.load(service))


def _as_form(request: HttpRequest, operation: str, version: str) -> HttpRequest:
    said = (
        request.raw_query
        + ("&" if request.raw_query and request.body else "")
        + request.body.decode("utf-8", "replace")
    )
    body = f"Action={operation}&Version={quote(version)}&{said}"
    headers = {**request.headers, "content-type": "application/x-www-form-urlencoded"}
    return HttpRequest("POST", "/", "", headers, body.encode())


async def answered(effects: Effects, wanted: Asked, principal: Principal, region: str, request_id: str) -> HttpResponse:
    """The service's answer, its body in memory. Raises Unusable where it is too large."""
    call = Call(principal, wanted.service, wanted.operation, wanted.params, region, request_id=request_id)
    response = await effects.answer(call)
    if isinstance(response.body, Extent):
        response.body = _read(response.body)
    elif not isinstance(response.body, bytes):
        response.body = await _made(response.body)
    return response


async def _made(body: Flow) -> bytes:
    made = bytearray()
    async with aclosing(body):
        async for piece in body:
            made += piece
            if len(made) > MOST_BYTES:
                raise Unusable("the answer is larger than 10 MB")
    return bytes(made)


def _read(body: Extent) -> bytes:
    if body.size > MOST_BYTES:
        raise Unusable("the answer is larger than 10 MB")
    if body.made is not None:
        return b"".join(body.made())
    parts: list[bytes] = []
    for path, offset, length in body.segments:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            parts.append(os.pread(descriptor, length, offset))
        finally:
            os.close(descriptor)
    return b"".join(parts)


def refusal(error: AWSError, service: str) -> HttpResponse:
    """What the service would answer."""
    model = models.load(service)
    return PROTOCOLS[name_of(model)].fault(error, model, "-")
