"""Cross-origin requests of HTTP APIs: answered by the API itself
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.apis.requests import ApiRequest
from clary.wire.http import HttpResponse

Configuration = Mapping[str, Any]

_OURS = ("access-control-allow-", "access-control-expose-", "access-control-max-age")


def is_preflight(request: ApiRequest) -> bool:
    """Whether a browser asks if it may ask."""
    asks = request.header("access-control-request-method") is not None
    return request.method == "OPTIONS" and request.header("origin") is not None and asks


def preflight(configuration: Configuration, request: ApiRequest) -> HttpResponse:
    """What the browser may do; nothing for an origin that is not allowed."""
    response = HttpResponse(204)
    if not _origin(configuration, request):
        return response
    allow(configuration, request, response)
    for member, header in (("AllowMethods", "methods"), ("AllowHeaders", "headers")):
        if configuration.get(member):
            response.headers[f"access-control-allow-{header}"] = ",".join(configuration[member])
    if configuration.get("MaxAge"):
        response.headers["access-control-max-age"] = str(configuration["MaxAge"])
    return response


def allow(configuration: Configuration, request: ApiRequest, response: HttpResponse) -> None:
    """Put the headers on an answer; those that an integration has set count for nothing."""
    for name in [name for name in response.headers if name.startswith(_OURS)]:
        del response.headers[name]
    origin = _origin(configuration, request)
    if not origin:
        return
    response.headers["access-control-allow-origin"] = origin
    if origin != "*":
        response.headers["vary"] = "Origin"
    if configuration.get("AllowCredentials"):
        response.headers["access-control-allow-credentials"] = "true"
    if configuration.get("ExposeHeaders"):
        response.headers["access-control-expose-headers"] = ",".join(configuration["ExposeHeaders"])


def _origin(configuration: Configuration, request: ApiRequest) -> str | None:
    origin = request.header("origin")
    allowed = configuration.get("AllowOrigins") or ()
    if origin is None:
        return None
    if "*" in allowed:
        return "*"
    wildcards = [each for each in allowed if each.endswith("://*")]
    fits = origin in allowed or any(origin.startswith(each[:-1]) for each in wildcards)
    return origin if fits else None
