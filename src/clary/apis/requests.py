"""A request on its way through an API, and what `$context` says of it
(https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html)."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

from clary.calls import Principal
from clary.wire.http import split_query


@dataclass
class ApiRequest:
    """What came. `path` is within the stage and still percent-encoded; names of headers are as HTTP/1.1 clients write
    them (`Content-Type`), whatever the wire had."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    body: bytes
    source_ip: str
    host: str
    protocol: str = "HTTP/1.1"
    raw_query: str = ""
    whole_path: str = ""
    """As it was asked for, the stage included."""
    request_id: str = field(default_factory=lambda: _uuid(secrets.token_hex(16)))
    extended_id: str = field(default_factory=lambda: secrets.token_urlsafe(11)[:15] + "=")
    began: float = field(default_factory=time.time)

    def header(self, name: str) -> str | None:
        """By its name in any case."""
        return self._folded.get(name.lower())

    @cached_property
    def _folded(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    @property
    def content_type(self) -> str:
        """Without parameters; JSON where none is said."""
        return (self.header("content-type") or "application/json").partition(";")[0].strip().lower()

    @cached_property
    def last_query(self) -> dict[str, str]:
        """The last value of each name."""
        return dict(self.query)

    @cached_property
    def all_query(self) -> dict[str, list[str]]:
        """All values of each name."""
        values: dict[str, list[str]] = {}
        for name, value in self.query:
            values.setdefault(name, []).append(value)
        return values

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


@dataclass
class Outcome:
    """How a request has ended, for who looks at it later."""

    error: str | None = None
    error_type: str | None = None
    """Of the gateway response."""
    integration_seconds: float | None = None


@dataclass
class Matched:
    """Where the request has come to."""

    account: str
    region: str
    api: str
    stage: str
    variables: dict[str, str]
    resource_id: str
    resource: str
    """`/pets/{id}`."""
    method: str
    """The method's own name: perhaps `ANY`."""
    path_params: dict[str, str]
    principal: Principal | None = None
    authorizer: dict[str, Any] = field(default_factory=dict)
    api_key_id: str = ""
    api_key: str = ""
    outcome: Outcome = field(default_factory=Outcome)

    @property
    def arn(self) -> str:
        """Of what every request of this API has in its ARN."""
        return f"arn:aws:execute-api:{self.region}:{self.account}:{self.api}"

    def method_arn(self, request: ApiRequest) -> str:
        """`…:ID/STAGE/GET/pets/1`."""
        return f"{self.arn}/{self.stage}/{request.method}/{unquote(request.path).lstrip('/')}"


def titled(headers: dict[str, str]) -> dict[str, str]:
    """Names of headers as they are commonly written."""
    return {_title(name): value for name, value in headers.items()}


def _title(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


def parse_target(target: str) -> tuple[str, tuple[tuple[str, str], ...], str]:
    """Path, query's pairs and raw query of `/path?query`."""
    url = urlsplit(target)
    return url.path or "/", split_query(url.query), url.query


def _uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def identity_of(request: ApiRequest, matched: Matched) -> dict[str, Any]:
    """`$context.identity`."""
    who = matched.principal
    known = {
        "accountId": who.account if who else None,
        "apiKey": matched.api_key or None,
        "apiKeyId": matched.api_key_id or None,
        "caller": who.user_id if who else None,
        "accessKey": who.access_key_id or None if who else None,
        "sourceIp": request.source_ip,
        "user": who.user_id if who else None,
        "userAgent": request.header("user-agent"),
        "userArn": who.arn if who else None,
    }
    return {**known, "cognitoIdentityId": None, "cognitoIdentityPoolId": None, "principalOrgId": None}


def context_of(request: ApiRequest, matched: Matched) -> dict[str, Any]:
    """`$context`, as templates see it; what is None is left out, so that it renders as nothing that is known."""
    identity = {name: value for name, value in identity_of(request, matched).items() if value is not None}
    return {
        "accountId": matched.account,
        "apiId": matched.api,
        "authorizer": dict(matched.authorizer),
        "awsEndpointRequestId": request.request_id,
        "domainName": request.host.partition(":")[0],
        "domainPrefix": request.host.partition(".")[0].partition(":")[0],
        "extendedRequestId": request.extended_id,
        "httpMethod": request.method,
        "identity": identity,
        "path": request.whole_path or request.path,
        "protocol": request.protocol,
        "requestId": request.request_id,
        "requestOverride": {"header": {}, "path": {}, "querystring": {}},
        "requestTime": request_time(request.began),
        "requestTimeEpoch": int(request.began * 1000),
        "resourceId": matched.resource_id,
        "resourcePath": matched.resource,
        "responseOverride": {"header": {}},
        "stage": matched.stage,
    }


def request_time(seconds: float) -> str:
    """`09/Apr/2015:12:34:56 +0000`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
