"""Carrying out a method's integration: from the request to what the integration has answered."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from clary.apis import authorizers, aws_calls, events, targets
from clary.apis.authorizers import FunctionFailed, principal_of
from clary.apis.effects import Effects, NoRole
from clary.apis.gateway_responses import GatewayError
from clary.apis.mapping import Answered, Mapper, Outgoing, configuration_error, is_binary, to_binary, to_text
from clary.apis.outbound import Forbidden, Sent, Unreachable
from clary.errors import AWSError
from clary.wire.http import HttpRequest, HttpResponse

Integration = Mapping[str, Any]

_TIMEOUT = 29_000
_INVOCATION_TYPE = "x-amz-invocation-type"
_NOT_FORWARDED = frozenset({"host", "connection", "content-length", "transfer-encoding", "x-api-key", "keep-alive"})
_NOT_RETURNED = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive", "server", "date"})


class Integrations:
    """All kinds of them."""

    def __init__(self, effects: Effects) -> None:
        self._effects = effects

    async def function(self, integration: Integration, mapper: Mapper, binary: list[str]) -> HttpResponse:
        """`AWS_PROXY`. Raises GatewayError."""
        request, matched = mapper.request, mapper.matched
        packed = is_binary(request.header("content-type") or "", binary)
        event = json.dumps(events.proxy_event(request, matched, binary=packed)).encode()
        try:
            payload = await self._in_time(integration, mapper, self._invoked(integration, mapper, event))
            accepted = (request.header("accept") or "*/*").partition(",")[0]
            return events.proxy_answer(payload, decode=is_binary(accepted, binary))
        except (AWSError, FunctionFailed, events.Malformed) as error:
            status = 500 if isinstance(error, AWSError) else 502
            raise GatewayError(
                "DEFAULT_5XX",
                "Internal server error",
                status=status,
                error_type="InternalServerErrorException",
                detail=str(error),
            ) from error

    async def forwarded(self, integration: Integration, mapper: Mapper) -> HttpResponse:
        """`HTTP_PROXY`: the request as it came, with what is mapped beside. Raises GatewayError."""
        request = mapper.request
        outgoing = mapper.outgoing(integration.get("requestParameters") or {}, request.body)
        outgoing.query = {**request.all_query, **outgoing.query}
        kept = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_FORWARDED}
        outgoing.headers = {**kept, **_forwarding(mapper), **outgoing.headers}
        outgoing.path = {**mapper.matched.path_params, **outgoing.path}
        answered = await self._in_time(integration, mapper, self._asked_http(integration, mapper, outgoing))
        return HttpResponse(answered.status, answered.headers, answered.body)

    async def mapped(self, integration: Integration, mapper: Mapper, binary: list[str]) -> Answered:
        """`AWS`, `HTTP` and `MOCK`. Raises GatewayError."""
        body = await _request_body(integration, mapper, binary)
        outgoing = mapper.outgoing(integration.get("requestParameters") or {}, body)
        outgoing = mapper.overridden(outgoing)
        if integration["type"] == "MOCK":
            return _mocked(outgoing.body)
        outgoing.headers.setdefault("Content-Type", mapper.request.header("content-type") or "application/json")
        ask = self._asked_http if integration["type"] == "HTTP" else self._asked_aws
        answered: Answered = await self._in_time(integration, mapper, ask(integration, mapper, outgoing))
        return answered

    async def _in_time(self, integration: Integration, mapper: Mapper, work: Any) -> Any:  # noqa: ANN401 — whatever is waited for
        began = time.perf_counter()
        try:
            async with asyncio.timeout(integration.get("timeoutInMillis", _TIMEOUT) / 1000):
                return await work
        except TimeoutError:
            raise GatewayError("INTEGRATION_TIMEOUT", "Endpoint request timed out") from None
        except NoRole as error:
            raise configuration_error(
                f"API Gateway does not have permission to assume the provided role: {error}"
            ) from error
        finally:
            mapper.matched.outcome.integration_seconds = time.perf_counter() - began

    async def _invoked(
        self, integration: Integration, mapper: Mapper, payload: bytes, kind: str = "RequestResponse"
    ) -> bytes:
        matched = mapper.matched
        target = _target(integration, mapper)
        principal = principal_of(self._effects, integration.get("credentials"), matched)
        source = f"{matched.arn}/{matched.stage}/{matched.method}{matched.resource}"
        return await authorizers.invoke_raw(self._effects, target, payload, principal, source, kind)

    async def _asked_aws(self, integration: Integration, mapper: Mapper, outgoing: Outgoing) -> Answered:
        target = _target(integration, mapper)
        if target.function:
            return await self._asked_function(integration, mapper, outgoing)
        matched = mapper.matched
        principal = principal_of(self._effects, integration.get("credentials"), matched)
        request = HttpRequest(
            method=integration["httpMethod"],
            raw_path=_filled_path(target.path or "/", outgoing.path),
            raw_query=urlencode(outgoing.query, doseq=True),
            headers={name.lower(): value for name, value in outgoing.headers.items()},
            body=outgoing.body,
        )
        try:
            wanted = aws_calls.asked(target, request)
            identifier = mapper.request.request_id
            response = await aws_calls.answered(self._effects, wanted, principal, target.region, identifier)
        except aws_calls.Unusable as error:
            raise configuration_error(str(error)) from error
        except AWSError as error:
            response = aws_calls.refusal(error, target.service)
        body = response.body if isinstance(response.body, bytes) else b""
        return Answered(response.status, response.headers, body)

    async def _asked_function(self, integration: Integration, mapper: Mapper, outgoing: Outgoing) -> Answered:
        kind = next((v for k, v in outgoing.headers.items() if k.lower() == _INVOCATION_TYPE), "RequestResponse")
        try:
            payload = await self._invoked(integration, mapper, outgoing.body or b"{}", kind)
        except FunctionFailed as failed:
            return Answered(200, {}, failed.payload, error=_error_message(failed.payload))
        except AWSError as error:
            return Answered(error.status, {}, json.dumps({"Message": error.message}).encode(), error=error.message)
        return Answered(200, {}, payload, error="")

    async def _asked_http(self, integration: Integration, mapper: Mapper, outgoing: Outgoing) -> Answered:
        method = integration["httpMethod"]
        url = _filled_path(targets.filled(integration["uri"], mapper.matched.variables), outgoing.path)
        if outgoing.query:
            url += ("&" if "?" in url else "?") + urlencode(outgoing.query, doseq=True)
        if not targets.is_http(url):
            raise configuration_error("Invalid endpoint address")
        sent = Sent(mapper.request.method if method == "ANY" else method, url, outgoing.headers, outgoing.body)
        try:
            response = await self._effects.send(sent)
        except Forbidden as error:
            raise configuration_error(f"Invalid endpoint address: {error}") from error
        except (Unreachable, ValueError) as error:
            text = "Network error communicating with endpoint"
            raise GatewayError("INTEGRATION_FAILURE", text, detail=str(error)) from error
        headers = {name: value for name, value in response.headers.items() if name not in _NOT_RETURNED}
        return Answered(response.status, headers, response.body)


def _target(integration: Integration, mapper: Mapper) -> targets.Target:
    try:
        return targets.parse(targets.filled(integration["uri"], mapper.matched.variables))
    except ValueError as error:
        raise configuration_error(str(error)) from error


def _forwarding(mapper: Mapper) -> dict[str, str]:
    """What API Gateway says of whom it asks for."""
    request = mapper.request
    before = request.header("x-forwarded-for")
    return {
        "X-Forwarded-For": f"{before}, {request.source_ip}" if before else request.source_ip,
        "X-Forwarded-Host": request.host,
        "X-Amzn-Apigateway-Api-Id": mapper.matched.api,
    }


def _filled_path(path: str, params: Mapping[str, str]) -> str:
    for name, value in params.items():
        path = path.replace(f"{{{name}+}}", quote(value)).replace(f"{{{name}}}", quote(value, safe=""))
    return path


async def _request_body(integration: Integration, mapper: Mapper, binary: list[str]) -> bytes:
    """The body by the template of its type, or as it came. Raises GatewayError (415)."""
    request, handling = mapper.request, integration.get("contentHandling")
    packed = is_binary(request.header("content-type") or "", binary)
    if packed and handling != "CONVERT_TO_TEXT":
        return request.body  # templates are for texts
    body = to_text(request.body) if packed else request.body
    templates = integration.get("requestTemplates") or {}
    template = templates.get(request.content_type)
    if template is not None:
        body = (await mapper.render(template, body.decode("utf-8", "replace"))).encode("utf-8", "replace")
    elif _refused(integration.get("passthroughBehavior", "WHEN_NO_MATCH"), templates):
        raise GatewayError("UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type")
    return to_binary(body) if handling == "CONVERT_TO_BINARY" and not packed else body


def _refused(behavior: str, templates: Mapping[str, str]) -> bool:
    return behavior == "NEVER" or (behavior == "WHEN_NO_TEMPLATES" and bool(templates))


def _mocked(body: bytes) -> Answered:
    try:
        said = json.loads(body)
        status = int(said["statusCode"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise configuration_error(
            "Unable to parse statusCode. It should be an integer defined in the request template."
        ) from None
    return Answered(status, {}, b"")


def _error_message(payload: bytes) -> str:
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        return payload.decode("utf-8", "replace")
    return str(said.get("errorMessage") or payload.decode()) if isinstance(said, dict) else str(said)
