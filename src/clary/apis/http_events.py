"""Payload format 2.0 of HTTP APIs
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html)."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import unquote

from clary.apis import events
from clary.apis.events import Event, Malformed, header_text
from clary.apis.requests import ApiRequest, Matched, request_time
from clary.wire.http import HttpResponse

_KNOWN = ("statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded")
_TEXTS = ("text/", "application/json", "application/xml", "application/javascript", "application/x-www-form-urlencoded")


def is_text(request: ApiRequest) -> bool:
    """Whether a body is handed over as it is, and not as base64."""
    kind = (request.header("content-type") or "text/plain").partition(";")[0].strip().lower()
    return kind.startswith(_TEXTS) or kind.endswith(("+json", "+xml"))


def event(request: ApiRequest, matched: Matched) -> Event:
    """A whole request."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    cookies = [each.strip() for each in headers.pop("cookie", "").split(";") if each.strip()]
    query = {name: ",".join(values) for name, values in request.all_query.items()}
    optional = {
        "cookies": cookies,
        "queryStringParameters": query,
        "pathParameters": matched.path_params,
        "stageVariables": matched.variables,
    }
    return {
        "version": "2.0",
        "routeKey": matched.resource,
        "rawPath": _path(request, matched),
        "rawQueryString": request.raw_query,
        "headers": headers,
        **{name: value for name, value in optional.items() if value},
        "requestContext": _context(request, matched),
        **_body(request),
    }


def _body(request: ApiRequest) -> Event:
    if not request.body:
        return {"isBase64Encoded": False}
    text = is_text(request)
    return {"body": request.text if text else base64.b64encode(request.body).decode(), "isBase64Encoded": not text}


def _path(request: ApiRequest, matched: Matched) -> str:
    """With the stage before it, unless that is the default one."""
    path = unquote(request.path)
    return path if matched.stage == "$default" else f"/{matched.stage}{path}"


def _context(request: ApiRequest, matched: Matched) -> Event:
    authorizer = {"authorizer": matched.authorizer} if matched.authorizer else {}
    return {
        "accountId": matched.account,
        "apiId": matched.api,
        **authorizer,
        "domainName": request.host.partition(":")[0],
        "domainPrefix": request.host.partition(".")[0].partition(":")[0],
        "http": {
            "method": request.method,
            "path": _path(request, matched),
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": request.header("user-agent") or "",
        },
        "requestId": request.extended_id,
        "routeKey": matched.resource,
        "stage": matched.stage,
        "time": request_time(request.began),
        "timeEpoch": int(request.began * 1000),
    }


def event_1(request: ApiRequest, matched: Matched) -> Event:
    """Payload format 1.0: a REST API's event with another version."""
    said = events.proxy_event(request, matched, binary=not is_text(request))
    path = matched.resource.partition(" ")[2] or matched.resource
    said["requestContext"] |= {"resourcePath": matched.resource, "resourceId": matched.resource}
    return {"version": "1.0", **said, "resource": path, "path": _path(request, matched)}


def answer_1(payload: bytes) -> HttpResponse:
    """A function's answer in format 1.0; members that it does not know count for nothing. Raises Malformed."""
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        raise Malformed("the answer is no JSON") from None
    if not isinstance(said, dict):
        raise Malformed("the answer is no object")
    return events.proxy_answer(json.dumps(_members(said)).encode(), decode=True)


def answer(payload: bytes) -> HttpResponse:
    """A function's answer in format 2.0: with a `statusCode`, or any JSON, which is a body then. Raises Malformed."""
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        raise Malformed("the answer is no JSON") from None
    if not isinstance(said, dict) or "statusCode" not in said:
        body = said.encode() if isinstance(said, str) else payload
        return HttpResponse(200, {"content-type": "application/json"}, body)
    response = events.proxy_answer(json.dumps(_members(said)).encode(), decode=True)
    cookies: Any = said.get("cookies") or []
    if not isinstance(cookies, list):
        raise Malformed("cookies is no list")
    response.cookies = tuple(header_text(each) for each in cookies)
    if not (said.get("headers") or {}):
        response.headers["content-type"] = "text/plain;charset=UTF-8"
    return response


def _members(said: Event) -> Event:
    members: Event = {name: said[name] for name in _KNOWN if name in said}
    body = members.get("body")
    if isinstance(body, dict | list):
        members["body"] = json.dumps(body)
    return members
