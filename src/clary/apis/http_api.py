"""A request through an HTTP API: cross-origin, route, authorize, integrate, answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

from clary.apis import cors, events, http_events, targets
from clary.apis.authorizers import Authorizers, FunctionFailed, invoke_raw
from clary.apis.effects import Effects
from clary.apis.gateway_responses import GatewayError
from clary.apis.outbound import Forbidden, Sent, Unreachable
from clary.apis.paths import Found, Tree
from clary.apis.published import StageIndex
from clary.apis.requests import ApiRequest, Matched
from clary.apis.throttling import Throttles
from clary.calls import Principal
from clary.errors import AWSError
from clary.wire.http import HttpResponse

Identify = Callable[[str], Principal]

_DEFAULT = "$default"
_TIMEOUT = 30_000
_NOT_FORWARDED = frozenset({"host", "connection", "content-length", "transfer-encoding", "keep-alive"})
_NOT_RETURNED = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive", "server", "date"})


class HttpError(Exception):
    """The request ends here, with a status and a message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class HttpApi:
    """One deployment, ready to be asked."""

    def __init__(self, snapshot: Mapping[str, Any]) -> None:
        self.cors: Mapping[str, Any] | None = snapshot["api"].get("CorsConfiguration")
        self.integrations: Mapping[str, Any] = snapshot["integrations"]
        self.authorizers: Mapping[str, Any] = snapshot["authorizers"]
        keyed = [(route["RouteKey"], route) for route in snapshot["routes"].values()]
        self.default = next((route for key, route in keyed if key == _DEFAULT), None)
        by_method: dict[str, list[tuple[str, Any]]] = {}
        for key, route in keyed:
            method, _, path = key.partition(" ")
            by_method.setdefault(method, []).append((path, route))
        self._trees = {method: Tree(routes) for method, routes in by_method.items()}

    def find(self, method: str, path: str) -> Found | None:
        """The route that fits best: what is fixed goes before a variable, that before a greedy one, a method's own
        before that of any, and the default last."""
        trees = [self._trees[name] for name in (method, "ANY") if name in self._trees]
        found = [each for tree in trees if (each := tree.find(path)) is not None]
        best = min(found, key=lambda each: _rank(each.resource["RouteKey"]), default=None)
        return best or (Found(self.default, {}) if self.default else None)


def _rank(key: str) -> tuple[bool, int]:
    return "+}" in key, key.count("{")


class HttpPipeline:
    """Answers requests of all HTTP APIs."""

    def __init__(self, effects: Effects) -> None:
        self._effects = effects
        self._authorizers = Authorizers(effects)
        self._throttles = Throttles()

    async def answer(
        self, api: HttpApi, stage: StageIndex, request: ApiRequest, matched: Matched, identify: Identify
    ) -> HttpResponse:
        """The whole way; what goes wrong is answered as AWS does."""
        if api.cors and cors.is_preflight(request):
            return cors.preflight(api.cors, request)
        try:
            response = await self._answer(api, stage, request, matched, identify)
        except HttpError as error:
            matched.outcome.error = error.message
            response = _refused(error.status, error.message)
        except GatewayError as error:
            matched.outcome.error, matched.outcome.error_type = error.message, error.response_type
            response = _refused(error.status, "Forbidden" if error.status == 403 else error.message)
        if api.cors:
            cors.allow(api.cors, request, response)
        return response

    async def _answer(
        self, api: HttpApi, stage: StageIndex, request: ApiRequest, matched: Matched, identify: Identify
    ) -> HttpResponse:
        found = api.find(request.method, request.path)
        if found is None or "Target" not in found.resource:
            raise HttpError(404, "Not Found")
        route = found.resource
        matched.resource, matched.resource_id, matched.path_params = route["RouteKey"], route["RouteId"], found.params
        matched.method = request.method
        self._throttle(stage, matched)
        await self._authorize(api, route, request, matched, identify)
        integration = api.integrations[route["Target"].removeprefix("integrations/")]
        carry_out = self._function if integration["IntegrationType"] == "AWS_PROXY" else self._forward
        return await _in_time(integration, matched, carry_out(integration, request, matched))

    def _throttle(self, stage: StageIndex, matched: Matched) -> None:
        settings = stage["settings"]
        if "ThrottlingRateLimit" in settings:
            burst = settings.get("ThrottlingBurstLimit", 5000)
            self._throttles.take(f"{matched.api}/{matched.stage}", settings["ThrottlingRateLimit"], burst)

    async def _authorize(
        self, api: HttpApi, route: Mapping[str, Any], request: ApiRequest, matched: Matched, identify: Identify
    ) -> None:
        kind = route["AuthorizationType"]
        if kind == "AWS_IAM":
            matched.principal = identify(matched.method_arn(request))
        elif kind == "CUSTOM":
            await self._ask_authorizer(api.authorizers[route["AuthorizerId"]], request, matched)

    async def _ask_authorizer(self, authorizer: Mapping[str, Any], request: ApiRequest, matched: Matched) -> None:
        """Raises HttpError, GatewayError."""
        sources = [_identity(source, request, matched) for source in authorizer.get("IdentitySource") or ()]
        if not all(sources):
            raise HttpError(401, "Unauthorized")
        arn = f"{matched.arn}/{matched.stage}/{request.method}{request.path}"
        if authorizer["AuthorizerPayloadFormatVersion"] == "1.0":
            event = {**http_events.event_1(request, matched), "type": "REQUEST", "methodArn": arn}
        else:
            event = {**http_events.event(request, matched), "type": "REQUEST", "routeArn": arn}
            event["identitySource"] = sources
        event.pop("body", None)
        event.pop("isBase64Encoded", None)
        matched.authorizer = await self._verdict(authorizer, event, request, matched, [each or "" for each in sources])

    async def _verdict(
        self, authorizer: Mapping[str, Any], event: events.Event, request: ApiRequest, matched: Matched, by: list[str]
    ) -> dict[str, Any]:
        """What the function adds to the context, where it lets the request in."""
        simple = authorizer["EnableSimpleResponses"]
        asked = {
            "id": authorizer["AuthorizerId"],
            "authorizerUri": authorizer["AuthorizerUri"],
            "authorizerResultTtlInSeconds": authorizer["AuthorizerResultTtlInSeconds"],
        }
        verdict = await self._authorizers.decide(asked, event, by, request, matched, simple=simple)
        return {"lambda": dict(verdict.context)} if verdict.context else {}

    async def _function(self, integration: Mapping[str, Any], request: ApiRequest, matched: Matched) -> HttpResponse:
        new = integration["PayloadFormatVersion"] == "2.0"
        event = http_events.event(request, matched) if new else http_events.event_1(request, matched)
        source = f"{matched.arn}/{matched.stage}/{matched.resource.replace(' ', '')}"
        try:
            target = _function_target(targets.filled(integration["IntegrationUri"], matched.variables), matched)
            principal = self._effects.service(matched.account)
            payload = await invoke_raw(self._effects, target, json.dumps(event).encode(), principal, source)
            return http_events.answer(payload) if new else http_events.answer_1(payload)
        except (AWSError, FunctionFailed, events.Malformed, ValueError) as error:
            raise HttpError(500, "Internal Server Error") from error

    async def _forward(self, integration: Mapping[str, Any], request: ApiRequest, matched: Matched) -> HttpResponse:
        url = targets.filled(integration["IntegrationUri"], matched.variables)
        for name, value in matched.path_params.items():
            url = url.replace(f"{{{name}}}", quote(value)).replace(f"{{{name}+}}", quote(value))
        if request.raw_query:
            url += ("&" if "?" in url else "?") + request.raw_query
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_FORWARDED}
        headers["Forwarded"] = f"for={request.source_ip};host={request.host};proto=http"
        method = request.method if integration["IntegrationMethod"] == "ANY" else integration["IntegrationMethod"]
        if not targets.is_http(url):
            raise HttpError(500, "Internal Server Error")
        try:
            response = await self._effects.send(Sent(method, url, headers, request.body))
        except (Forbidden, ValueError) as error:
            raise HttpError(500, "Internal Server Error") from error
        except Unreachable as error:
            raise HttpError(503, "Service Unavailable") from error
        kept = {name: value for name, value in response.headers.items() if name not in _NOT_RETURNED}
        return HttpResponse(response.status, kept, response.body)


async def _in_time(integration: Mapping[str, Any], matched: Matched, work: Awaitable[HttpResponse]) -> HttpResponse:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(integration.get("TimeoutInMillis", _TIMEOUT) / 1000):
            return await work
    except TimeoutError:
        raise HttpError(503, "Service Unavailable") from None
    finally:
        matched.outcome.integration_seconds = time.perf_counter() - began


def _function_target(uri: str, matched: Matched) -> targets.Target:
    """A function by its own ARN, or by that of its invocation. Raises ValueError."""
    if ":apigateway:" in uri:
        return targets.parse(uri)
    return targets.Target(matched.region, "lambda", path=f"/2015-03-31/functions/{uri}/invocations")


def _identity(source: str, request: ApiRequest, matched: Matched) -> str | None:
    """`$request.header.Auth`, `$request.querystring.q`, `$stageVariables.x`, `$context.…`."""
    place, _, name = source.rpartition(".")
    if place == "$request.header":
        return request.header(name)
    if place == "$request.querystring":
        return request.last_query.get(name)
    if place == "$stageVariables":
        return matched.variables.get(name)
    return {"$context.routeKey": matched.resource, "$context.identity.sourceIp": request.source_ip}.get(source)


def _refused(status: int, message: str) -> HttpResponse:
    return HttpResponse(
        status, {"content-type": "application/json"}, json.dumps({"message": message}, separators=(",", ":")).encode()
    )
