"""HTTP as functions see it behind their URL: an event of version 2.0, and what an answer means
(https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads)."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from clary.functions.table import Url
from clary.wire.http import HttpRequest, HttpResponse

_TEXT = ("text/", "application/json", "application/javascript", "application/xml", "application/x-www-form-urlencoded")

_FRAMING = ("content-length", "transfer-encoding", "connection")


class Malformed(Exception):
    """A function's answer that is no answer to HTTP."""


def event(request: HttpRequest, url: Url, request_id: str, caller: Mapping[str, Any] | None) -> dict[str, Any]:
    """The event; `caller` are the members of `requestContext.authorizer.iam` where the request was signed."""
    now, host = time.time(), request.headers.get("host", "").partition(":")[0]
    headers = {name: value for name, value in request.headers.items() if name != "cookie"}
    query = parse_qsl(request.raw_query, keep_blank_values=True)
    found: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": unquote(request.raw_path),
        "rawQueryString": request.raw_query,
        "headers": headers,
        "requestContext": {
            "accountId": caller["accountId"] if caller else "anonymous",
            "apiId": url.id,
            "domainName": host,
            "domainPrefix": url.id,
            "http": {
                "method": request.method,
                "path": unquote(request.raw_path),
                "protocol": "HTTP/1.1",
                "sourceIp": request.source_ip,
                "userAgent": request.headers.get("user-agent", ""),
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if caller:
        found["requestContext"]["authorizer"] = {"iam": dict(caller)}
    if "cookie" in request.headers:
        found["cookies"] = [each.strip() for each in request.headers["cookie"].split(";")]
    if query:
        found["queryStringParameters"] = _joined(query)
    if request.body:
        found["body"], found["isBase64Encoded"] = _encoded(request)
    return found


def _joined(query: list[tuple[str, str]]) -> dict[str, str]:
    """Repeated parameters stand together, with commas between."""
    joined: dict[str, str] = {}
    for name, value in query:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _encoded(request: HttpRequest) -> tuple[str, bool]:
    if request.headers.get("content-type", "text/plain").startswith(_TEXT):
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(request.body).decode(), True


def answer(payload: bytes) -> HttpResponse:
    """What the client gets. An answer without `statusCode` is the body itself. Raises Malformed."""
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Malformed(str(error)) from error
    if not isinstance(said, dict) or "statusCode" not in said:
        body = said.encode() if isinstance(said, str) else payload
        return HttpResponse(200, {"content-type": "application/json"}, body)
    status = said["statusCode"]
    if not isinstance(status, int | str) or not str(status).isdecimal() or not 200 <= int(status) <= 599:
        raise Malformed("statusCode is no status")
    return HttpResponse(int(status), _headers(said), _body(said))


def _headers(said: Mapping[str, Any]) -> dict[str, str]:
    given = said.get("headers") or {}
    if not isinstance(given, dict):
        raise Malformed("headers are no object")
    headers = {str(name).lower(): str(value) for name, value in given.items()}
    for name in _FRAMING:
        headers.pop(name, None)
    cookies = said.get("cookies")
    if isinstance(cookies, list) and cookies:
        headers["set-cookie"] = ", ".join(str(each) for each in cookies)
    if any("\r" in value or "\n" in value for value in headers.values()):
        raise Malformed("a header holds a line break")
    headers.setdefault("content-type", "application/json")
    return headers


def _body(said: Mapping[str, Any]) -> bytes:
    body = said.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        return json.dumps(body).encode()
    if said.get("isBase64Encoded") is True:
        try:
            return base64.b64decode(body, validate=True)
        except ValueError as error:
            raise Malformed("body is not base64") from error
    return body.encode()


def cors(request: HttpRequest, url: Url) -> dict[str, str]:
    """The headers that a URL's Cors setting adds to every answer."""
    said, origin = url.cors, request.headers.get("origin")
    allowed = said.get("AllowOrigins") or []
    if not said or origin is None or not ("*" in allowed or origin in allowed):
        return {}
    headers = {"access-control-allow-origin": "*" if "*" in allowed else origin, "vary": "Origin"}
    if said.get("AllowCredentials"):
        headers |= {"access-control-allow-credentials": "true", "access-control-allow-origin": origin}
    for member in ("AllowMethods", "AllowHeaders", "ExposeHeaders"):
        if said.get(member):
            headers["access-control-" + _HEADERS[member]] = ",".join(said[member])
    if said.get("MaxAge") is not None:
        headers["access-control-max-age"] = str(said["MaxAge"])
    return headers


_HEADERS = {"AllowMethods": "allow-methods", "AllowHeaders": "allow-headers", "ExposeHeaders": "expose-headers"}
