"""Routes of HTTP APIs: `GET /pets/{id}`, `ANY /{proxy+}`, `$default`."""

from __future__ import annotations

import re

from clary.services.apigateway.documents import Document, new_id
from clary.services.apigateway.errors import bad_request, conflict
from clary.services.apigatewayv2.parts import Part, asked, offer

_KEY = re.compile(r"\$default|(GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS|ANY) /\S*")
_PART = re.compile(r"\{[a-zA-Z0-9._-]+\}|[^{}]*")
_LAST = re.compile(r"\{[a-zA-Z0-9._-]+\+\}")
_AUTHORIZATION = ("NONE", "AWS_IAM", "CUSTOM", "JWT")
_MEMBERS = ("RouteKey", "Target", "AuthorizationType", "AuthorizerId", "AuthorizationScopes", "OperationName")


def _check(document: Document, route: Document) -> None:
    if not _KEY.fullmatch(route["RouteKey"]) or not _path_is_fine(route["RouteKey"]):
        raise bad_request(
            "The provided route key is not formatted properly for HTTP protocol. Format should be "
            '"<HTTP METHOD> /<RESOURCE PATH>" or "$default"'
        )
    target = route.get("Target", "").removeprefix("integrations/")
    if "Target" in route and target not in document["integrations"]:
        raise bad_request(f"Invalid integration ID specified: {target}")
    kind = route["AuthorizationType"]
    if kind not in _AUTHORIZATION:
        raise bad_request(f"Invalid authorization type specified: {kind}")
    if kind in ("CUSTOM", "JWT") and route.get("AuthorizerId") not in document["authorizers"]:
        raise bad_request("Invalid authorizer ID specified")
    if any(other is not route and other["RouteKey"] == route["RouteKey"] for other in document["routes"].values()):
        raise conflict(f"Route with key {route['RouteKey']} already exists for this API")


def _path_is_fine(key: str) -> bool:
    *parts, last = key.partition(" ")[2].split("/")
    return all(_PART.fullmatch(part) for part in parts) and bool(_PART.fullmatch(last) or _LAST.fullmatch(last))


def new_route(document: Document, params: Document) -> Document:
    """Raises BadRequestException, ConflictException."""
    made = {"RouteId": new_id(7), "ApiKeyRequired": False, "AuthorizationType": "NONE", **asked(params, _MEMBERS)}
    _check(document, made)
    document["routes"][made["RouteId"]] = made
    return made


def _update(document: Document, found: Document, params: Document) -> None:
    found |= asked(params, _MEMBERS)
    _check(document, found)


offer(Part("Route", "routes", "RouteId", new_route, _update))
