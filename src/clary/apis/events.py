"""What functions behind an API are given, and what they give back
(https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html)."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any
from urllib.parse import unquote

from clary.apis.requests import ApiRequest, Matched, identity_of, request_time
from clary.wire.http import HttpResponse

Event = dict[str, Any]


class Malformed(Exception):
    """A function's answer that is no answer to HTTP."""


def proxy_event(request: ApiRequest, matched: Matched, *, binary: bool) -> Event:
    """A REST API's event (`AWS_PROXY`), and that of authorizers of type REQUEST without its body."""
    body: str | None = base64.b64encode(request.body).decode() if binary else request.text
    return {
        "resource": matched.resource,
        "path": unquote(request.path),
        "httpMethod": request.method,
        "headers": request.headers or None,
        "multiValueHeaders": {name: [value] for name, value in request.headers.items()} or None,
        "queryStringParameters": request.last_query or None,
        "multiValueQueryStringParameters": request.all_query or None,
        "pathParameters": matched.path_params or None,
        "stageVariables": matched.variables or None,
        "requestContext": request_context(request, matched),
        "body": body if request.body else None,
        "isBase64Encoded": binary and bool(request.body),
    }


def request_context(request: ApiRequest, matched: Matched) -> Event:
    """`requestContext` of a REST API's event."""
    authorizer = {"authorizer": matched.authorizer} if matched.authorizer else {}
    return {
        "resourceId": matched.resource_id,
        **authorizer,
        "resourcePath": matched.resource,
        "httpMethod": request.method,
        "extendedRequestId": request.extended_id,
        "requestTime": request_time(request.began),
        "path": unquote(request.whole_path or request.path),
        "accountId": matched.account,
        "protocol": request.protocol,
        "stage": matched.stage,
        "domainPrefix": request.host.partition(".")[0].partition(":")[0],
        "requestTimeEpoch": int(request.began * 1000),
        "requestId": request.request_id,
        "identity": identity_of(request, matched),
        "domainName": request.host.partition(":")[0],
        "apiId": matched.api,
    }


def proxy_answer(payload: bytes, *, decode: bool) -> HttpResponse:
    """A function's answer to a REST API's event: `statusCode`, `headers`, `multiValueHeaders`, `body`,
    `isBase64Encoded`, and nothing else. `decode`: the client takes binary bodies. Raises Malformed."""
    answer = _object(payload)
    unknown = set(answer) - {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
    if unknown:
        raise Malformed(f"the answer has members that are none: {', '.join(sorted(unknown))}")
    response = HttpResponse(_status(answer.get("statusCode", 200)))
    _put_headers(response, answer.get("headers"), answer.get("multiValueHeaders"))
    response.body = _body(answer, decode=decode)
    response.headers.setdefault("content-type", "application/json")
    return response


def _object(payload: bytes) -> Event:
    try:
        answer = json.loads(payload)
    except (ValueError, RecursionError):
        raise Malformed("the answer is no JSON") from None
    if not isinstance(answer, dict):
        raise Malformed("the answer is no object")
    return answer


def _status(value: Any) -> int:  # noqa: ANN401 — a value of JSON
    number = int(value) if isinstance(value, str) and value.isdecimal() and len(value) == 3 else value
    if type(number) is not int or not 100 <= number <= 599:
        raise Malformed("statusCode is no status")
    return number


def _put_headers(response: HttpResponse, headers: Any, several: Any) -> None:  # noqa: ANN401 — values of JSON
    if not isinstance(headers or {}, dict) or not isinstance(several or {}, dict):
        raise Malformed("headers are no object")
    for name, value in (headers or {}).items():
        response.headers[str(name).lower()] = header_text(value)
    for name, values in (several or {}).items():
        if not isinstance(values, list):
            raise Malformed(f"multiValueHeaders.{name} is no list")
        texts = [header_text(value) for value in values]
        if str(name).lower() == "set-cookie":
            response.headers.pop("set-cookie", None)
            response.cookies = tuple(texts)
        else:
            response.headers[str(name).lower()] = ",".join(texts)
    for framing in ("content-length", "transfer-encoding", "connection"):
        response.headers.pop(framing, None)


def header_text(value: Any) -> str:  # noqa: ANN401 — a value of JSON
    """A header's value; Malformed where it is an object or a list."""
    if isinstance(value, dict | list):
        raise Malformed("a header is no text")
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _body(answer: Event, *, decode: bool) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise Malformed("body is no text")
    if answer.get("isBase64Encoded") is True and decode:
        try:
            return base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError):
            raise Malformed("body is not base64") from None
    return body.encode("utf-8", "replace")
