"""The gateway: runs the steps, and turns whatever goes wrong into AWS's words."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from botocore.model import ServiceModel

from clary.calls import Door
from clary.errors import AWSError
from clary.gateway import refusals
from clary.gateway.browsers import by_a_foreign_name, from_another_page
from clary.gateway.exchange import EdgeContexts, Exchange, Parts
from clary.gateway.incoming import ClientGone, Incoming
from clary.gateway.keyring import Authorizer, BodyStore, Keyring
from clary.gateway.line import AsgiLine, Line, Message, Receive, Send
from clary.gateway.outgoing import Outgoing
from clary.gateway.steps import STEPS
from clary.services.registry import Registry
from clary.settings import Settings
from clary.wire import models
from clary.wire.directory import Directory
from clary.wire.http import EMPTY_BODY_STATUSES, HttpRequest, HttpResponse
from clary.wire.protocols import PROTOCOLS
from clary.wire.rest_xml import host_id

Pages = Callable[[str, HttpRequest], Mapping[str, str]]
"""What an answer of S3's says of its bucket to a page of another site."""

InternalHandler = Callable[[HttpRequest], Awaitable[HttpResponse]]
"""Answers one of Clary's own paths (`/_clary/…`)."""


class Site(Protocol):
    """What answers by HTTP beside the AWS API: the image registry, applications behind API Gateway."""

    def takes(self, request: HttpRequest) -> bool:
        """Whether the request is for it: by host, path and headers; the body has not been read."""
        ...

    async def answer(self, request: HttpRequest, incoming: Incoming) -> HttpResponse:
        """The answer, refusals in its own words included. Raises ClientGone."""
        ...


_UNREAD = 65_536
"""Bytes of a body that are let go by unread; before more than these the connection is closed."""

_LATER = frozenset({429, 503})
_RETRY_AFTER = "1"
"""Seconds, with what may be asked again later (RFC 9110, 10.2.3)."""

_log = logging.getLogger(__name__)


class Gateway:
    """Answers requests; `serve` by any line, a call of it as an ASGI 3 application."""

    def __init__(  # noqa: PLR0913, PLR0917  each is a part of another package, put together in one place only
        self,
        registry: Registry,
        keyring: Keyring,
        authorizer: Authorizer,
        control: Door,
        edge_context: EdgeContexts,
        bodies: BodyStore,
        settings: Settings,
        internal: Mapping[str, InternalHandler],
        sites: Sequence[Site] = (),
        pages: Pages | None = None,
    ) -> None:
        directory = Directory(registry.services)
        self._parts = Parts(registry, directory, keyring, authorizer, control, edge_context, bodies, settings)
        self._internal = dict(internal)
        self._sites = tuple(sites)
        self._pages = pages
        self._limits = settings.limits
        self._host = settings.host
        self._outgoing = Outgoing(settings.limits.body_idle_seconds)

    def close(self) -> None:
        """End its threads."""
        self._outgoing.close()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """One request (or the server's start and end, where it tells them)."""
        if scope["type"] == "http":
            await self.serve(_request(scope), AsgiLine(receive, send))
        elif scope["type"] == "lifespan":
            await _lifespan(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1003})

    async def serve(self, request: HttpRequest, line: Line) -> None:
        """One request, answered by its line."""
        incoming = Incoming(line, self._limits.body_idle_seconds)
        try:
            response = await self._response(request, incoming)
        except ClientGone:
            return
        if not incoming.whole and _leaves_body(request):
            response.headers["connection"] = "close"
        _tell_length(request, response)
        if isinstance(response.body, bytes):
            await self._outgoing.send(line, response, incoming, head_only=request.method == "HEAD")
            return
        with suppress(TimeoutError):  # the client reads no more; the server closes what is left unfinished
            await self._send(request, response, incoming, line)

    async def _send(self, request: HttpRequest, response: HttpResponse, incoming: Incoming, line: Line) -> None:
        """What is in files, or still being made."""
        started = _Started(line)
        head_only = request.method == "HEAD"
        try:
            await self._outgoing.send(started, response, incoming, head_only=head_only)
        except OSError:
            _log.exception("the body of an answer to %s %s could not be read", request.method, request.raw_path)
        else:
            return
        if not started.yes:
            failed = _finish(self._fault(refusals.internal_failure(), "rest-xml", "s3", "-"), "rest-xml", "-")
            _tell_length(request, failed)
            await self._outgoing.send(line, failed, incoming, head_only=head_only)

    async def _response(self, request: HttpRequest, incoming: Incoming) -> HttpResponse:
        for site in self._sites:
            if site.takes(request):
                return await self._of_site(site, request, incoming)
        if request.raw_path.startswith("/_clary/"):
            return await self._own(request, incoming)
        exchange = Exchange(request, incoming)
        try:
            for step in STEPS:
                waiting = step(self._parts, exchange)
                if waiting is not None:
                    await waiting
            response = exchange.response
        except AWSError as refusal:
            response = self._refusal(refusal, exchange)
        except ClientGone:
            raise
        except Exception as error:  # the last line of defence: the traceback is for the log, never for the client
            _log.exception("request %s failed: %s %s", exchange.request_id, request.method, request.raw_path)
            response = self._refusal(refusals.failure(error), exchange)
        if "origin" in request.headers and self._pages is not None:
            response.headers |= self._pages(_bucket(exchange), request)
        return _finish(response, exchange.protocol, exchange.request_id)

    def _refusal(self, error: AWSError, exchange: Exchange) -> HttpResponse:
        protocol = exchange.protocol or _guess(exchange)
        service = exchange.target.service if hasattr(exchange, "target") else ""
        exchange.protocol = protocol
        return self._fault(error, protocol, service, exchange.request_id)

    def _fault(self, error: AWSError, protocol: str, service: str, request_id: str) -> HttpResponse:
        worded = refusals.worded(error, protocol, service)
        response = PROTOCOLS[protocol].fault(worded, self._model(service), request_id)
        if response.status in _LATER:
            response.headers["retry-after"] = _RETRY_AFTER
        return response

    def _model(self, service: str) -> ServiceModel | None:
        return models.load(service) if service in self._parts.registry.services else None

    async def _of_site(self, site: Site, request: HttpRequest, incoming: Incoming) -> HttpResponse:
        try:
            return await site.answer(request, incoming)
        except ClientGone:
            raise
        except Exception as error:  # as above
            _log.exception("%s %s failed", request.method, request.raw_path)
            return self._fault(refusals.failure(error), "json", "", "-")

    async def _own(self, request: HttpRequest, incoming: Incoming) -> HttpResponse:
        handler = self._own_handler(request.path)
        if handler is None:
            return HttpResponse(404, {"content-type": "application/json"}, b'{"message":"There is nothing here."}')
        if from_another_page(request) or by_a_foreign_name(request, self._host):
            text = b'{"message":"Pages of other sites may not ask for this."}'
            return HttpResponse(403, {"content-type": "application/json"}, text)
        try:
            request.body = await incoming.read(self._limits.request_body_bytes)
            return await handler(request)
        except AWSError as refusal:
            return self._fault(refusal, "json", "", "-")
        except ClientGone:
            raise
        except Exception as error:  # as above
            _log.exception("%s %s failed", request.method, request.raw_path)
            return self._fault(refusals.failure(error), "json", "", "-")

    def _own_handler(self, path: str) -> InternalHandler | None:
        """By the path itself, else by the longest path that it lies below."""
        below = (p for p in self._internal if path == p or path.startswith(p.rstrip("/") + "/"))
        found = max(below, key=len, default=None)
        return self._internal[found] if found else None


class _Started:
    """Remembers whether an answer has begun: after that there is no other."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.ahead, self.receive, self.reply = line.ahead, line.receive, line.reply
        self.channel, self.copied = line.channel, line.copied
        self.yes = False

    async def send(self, message: Message) -> None:
        self.yes = True
        await self._line.send(message)


def _request(scope: Mapping[str, Any]) -> HttpRequest:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), _text(raw_value)
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    raw_path = scope.get("raw_path") or scope["path"].encode()
    client = scope.get("client")
    return HttpRequest(
        method=scope["method"],
        raw_path=raw_path.decode("latin-1"),
        raw_query=scope["query_string"].decode("latin-1"),
        headers=headers,
        source_ip=client[0] if client else "127.0.0.1",
        inside=client is None,  # a Unix socket's client has no address
    )


def _text(raw: bytes) -> str:
    """Header values are Latin-1 by the RFC, and UTF-8 from many clients: a signature covers what they meant."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _leaves_body(request: HttpRequest) -> bool:
    """Whether more of the body may follow than is worth reading only to throw it away."""
    if "expect" in request.headers or "transfer-encoding" in request.headers:
        return True
    length = request.headers.get("content-length", "0")
    return not length.isdigit() or int(length) > _UNREAD


def _tell_length(request: HttpRequest, response: HttpResponse) -> None:
    """HEAD tells the length of what GET would send, where the operation knows it. What is still being made
    has none: the server sends it in chunks."""
    if response.status in EMPTY_BODY_STATUSES:
        response.headers.pop("content-length", None)
    elif request.method != "HEAD" or "content-length" not in response.headers:
        size = response.size
        if size is not None:
            response.headers["content-length"] = str(size)


def _finish(response: HttpResponse, protocol: str, request_id: str) -> HttpResponse:
    response.headers["x-amzn-requestid"] = request_id
    if protocol == "rest-xml":
        response.headers["x-amz-request-id"] = request_id
        response.headers["x-amz-id-2"] = host_id(request_id)
    return response


def _guess(exchange: Exchange) -> str:
    """In which protocol to refuse a request that does not even say what it asks for."""
    headers = exchange.request.headers
    if "x-amz-target" in headers or "json" in headers.get("content-type", ""):
        return "json"
    signature = exchange.signature
    if getattr(signature, "service", "s3") == "s3" and "form-urlencoded" not in headers.get("content-type", ""):
        return "rest-xml"
    return "query"


def _bucket(exchange: Exchange) -> str:
    """The one that a request to S3 names; empty for all else."""
    if not hasattr(exchange, "target") or exchange.target.service != "s3":
        return ""
    return exchange.target.labels.get("Bucket") or exchange.target.bucket or ""


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
