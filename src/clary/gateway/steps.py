"""The life of a request, from top to bottom. A step that has to wait gives back what it waits for."""

from __future__ import annotations

import sys
from collections.abc import Awaitable
from functools import cache
from typing import Any, Final

from clary.calls import Principal
from clary.errors import AccessDenied, AWSError
from clary.gateway import payload, refusals, sigv2, sigv4, streamed
from clary.gateway.browsers import by_a_foreign_name, from_another_page
from clary.gateway.exchange import Exchange, Parts, Step
from clary.gateway.keyring import default_principal
from clary.gateway.sigv2 import SignatureV2
from clary.gateway.sigv4 import Signature
from clary.objects.expectation import check_document
from clary.services.looking import looked_up
from clary.wire import models, rpc_cbor
from clary.wire.compression import decompress
from clary.wire.locations import read_headers
from clary.wire.protocols import PROTOCOLS, name_of
from clary.wire.routes import BadPath
from clary.wire.validation import validate as check_constraints
from clary.wire.values import Mismatch, Params, is_streaming, payload_of

_KEEP_ENCODING: Final = frozenset({"rest-json", "rest-xml"})
"""There the encoding is part of what is sent: a prediction's payload, an object."""

_FORM: Final = "application/x-www-form-urlencoded"

_ANONYMOUS = Principal(kind="anonymous", account="", arn="", identity="", user_id="")


def admit(parts: Parts, exchange: Exchange) -> None:
    """Nobody whom a web page sends, where no signature would tell."""
    request, settings = exchange.request, parts.settings
    if settings.auth == "off" and (from_another_page(request) or by_a_foreign_name(request, settings.host)):
        raise AccessDenied("Pages of other sites may not ask a Clary that verifies no signatures (--auth off).")


def identify(parts: Parts, exchange: Exchange) -> Awaitable[None] | None:
    """Which operation of which service is asked for. A form is read for it: it names the operation itself."""
    request = exchange.request
    exchange.signature = sigv4.read(request) or sigv2.read(request)
    if request.method == "POST" and request.headers.get("content-type", "").startswith(_FORM):
        return _identify_form(parts, exchange)
    _find_target(parts, exchange)
    return None


async def _identify_form(parts: Parts, exchange: Exchange) -> None:
    if waiting := _read(exchange, parts.settings.limits.request_body_bytes):
        await waiting
    _find_target(parts, exchange)


def _find_target(parts: Parts, exchange: Exchange) -> None:
    request, signature = exchange.request, exchange.signature
    scope = "s3" if isinstance(signature, SignatureV2) else signature.service if signature else None
    try:
        exchange.target = parts.directory.find(request, scope)
    except BadPath:
        exchange.protocol = "rest-xml"
        raise AWSError("InvalidURI", "Couldn't parse the specified URI.") from None
    except Mismatch as mismatch:
        exchange.protocol = "query"
        raise AWSError("MalformedQueryString", str(mismatch)) from None
    exchange.protocol = exchange.target.protocol
    _find_operation(parts, exchange)


def receive(parts: Parts, exchange: Exchange) -> Awaitable[None] | None:
    """The body, unless it is streamed: then it waits until the call is allowed."""
    shape = exchange.model.input_shape
    if is_streaming(shape):
        found = payload_of(shape)
        exchange.streamed = found[0] if found else ""
        payload.check_announced(exchange.request)
        return None
    if exchange.incoming.whole:
        return None
    target = exchange.target
    return _read(exchange, parts.settings.limits.body_bytes(target.service, target.operation))


def authenticate(parts: Parts, exchange: Exchange) -> None:
    """Who calls, and from which region: by the signature. Where signatures are not checked, the default identity."""
    signature = exchange.signature
    exchange.region = signature.region if isinstance(signature, Signature) else parts.settings.region
    if not exchange.streamed:
        payload.check_hash(exchange.request)
    if parts.settings.auth == "off":
        exchange.principal = default_principal(parts.settings)
    elif signature is None:
        exchange.principal = _unsigned(exchange)
    else:
        exchange.principal = _verified(parts, exchange, signature)


def parse(parts: Parts, exchange: Exchange) -> None:
    """The parameters, by the operation's model."""
    if exchange.streamed:
        payload.unwrap_headers(exchange.request)
    elif exchange.protocol == "rest-xml" and exchange.request.body:
        _check_document(exchange)
    protocol = PROTOCOLS[exchange.protocol]
    exchange.params = protocol.parse(exchange.request, exchange.model, exchange.target.labels)


def _check_document(exchange: Exchange) -> None:
    """Against its checksums: those in the headers of CompleteMultipartUpload are the object's. Raises AWSError."""
    summed = "requestAlgorithmMember" in (exchange.model.http_checksum or {})
    check_document(exchange.request.body, exchange.request.headers, checksums=summed)


def validate(parts: Parts, exchange: Exchange) -> None:
    """The model's constraints. S3 has hardly any in its model, and words of its own for each."""
    if exchange.protocol != "rest-xml":
        check_constraints(exchange.model.input_shape, exchange.params)
    else:
        _check_required(exchange)


def authorise(parts: Parts, exchange: Exchange) -> None:
    """Whether the caller may: by its policies."""
    if parts.settings.auth != "off":
        call = exchange.call
        parts.authorizer.authorise(call, parts.registry.services[call.service].access(call))


def take_in(parts: Parts, exchange: Exchange) -> Awaitable[None] | None:
    """The streamed body, kept by the store; what it says of it stands in the parameters. Trailers are headers."""
    return _take_in(parts, exchange) if exchange.streamed else None


async def _take_in(parts: Parts, exchange: Exchange) -> None:
    signature, key = exchange.signature, b""
    if parts.settings.auth == "off" or not isinstance(signature, Signature):
        signature = None
    else:
        secret = parts.keyring.find(signature.access_key_id, signature.token).secret_key
        key = sigv4.signing_key(secret, signature.date, signature.region, signature.service)
    exchange.params[exchange.streamed] = await _taken(parts, exchange, signature, key)
    exchange.params |= read_headers(exchange.model.input_shape, exchange.request.trailers)


async def _taken(parts: Parts, exchange: Exchange, signature: Signature | None, key: bytes) -> dict[str, Any]:
    request, incoming = exchange.request, exchange.incoming
    body = incoming.ahead(sys.maxsize)
    if body is not None:
        return await parts.bodies.keep(streamed.whole(body, request, signature, key), request, exchange.call)
    chunks = streamed.pieces(streamed.chunks(incoming), request, signature, key)
    return await parts.bodies.receive(chunks, request, exchange.call)


def call(parts: Parts, exchange: Exchange) -> Awaitable[None] | None:
    """The operation itself: here, or in control."""
    offered = exchange.offered
    if offered.looks:
        found = looked_up(parts.settings.database, offered, exchange.call)
        if found is not None:
            exchange.output = found
            return None
    if offered.place == "control":
        return _called(exchange, parts.control(exchange.call))
    output = offered.handler(parts.edge_context(exchange.call), exchange.params)
    if output is not None and not isinstance(output, dict):
        return _called(exchange, output)
    exchange.output = output or {}
    return None


async def _called(exchange: Exchange, output: Awaitable[Params | None]) -> None:
    exchange.output = await output or {}


def respond(parts: Parts, exchange: Exchange) -> None:
    """The answer's bytes."""
    protocol = PROTOCOLS[exchange.protocol]
    exchange.response = protocol.serialise(exchange.output, exchange.model, exchange.request_id)


STEPS: Final[tuple[Step, ...]] = (
    admit,
    identify,
    receive,
    authenticate,
    parse,
    validate,
    authorise,
    take_in,
    call,
    respond,
)


def _read(exchange: Exchange, limit: int) -> Awaitable[None] | None:
    """The whole body, which mostly is here already."""
    body = exchange.incoming.ahead(limit)
    if body is None:
        return _read_on(exchange, limit)
    _keep(exchange, body, limit)
    return None


async def _read_on(exchange: Exchange, limit: int) -> None:
    _keep(exchange, await exchange.incoming.read(limit), limit)


def _keep(exchange: Exchange, body: bytes, limit: int) -> None:
    """A signature covers a body as it was sent, what is in it is read from what that unpacks to."""
    request = exchange.request
    request.body = body
    if request.headers.get("content-encoding") == "gzip" and exchange.protocol not in _KEEP_ENCODING:
        request.packed, request.body = request.body, decompress(request.body, limit)


def _find_operation(parts: Parts, exchange: Exchange) -> None:
    service, name = exchange.target.service, exchange.target.operation
    if not exchange.protocol:
        exchange.protocol = _foreign_protocol(service, exchange)
        raise refusals.not_offered(exchange.protocol, service)
    try:
        exchange.model = models.operation(service, name)
    except KeyError:
        raise refusals.unknown_operation(exchange.protocol, service, name) from None
    offered = parts.registry.find(service, name)
    if offered is None:
        raise refusals.not_offered(exchange.protocol, service, name)
    exchange.offered = offered


def _foreign_protocol(service: str, exchange: Exchange) -> str:
    """In which protocol to refuse a service that is not offered: in its own, where there is one."""
    headers = exchange.request.headers
    if "x-amz-target" in headers:
        return "json"
    if headers.get("smithy-protocol") == rpc_cbor.MARK:
        return rpc_cbor.NAME
    if service in models.known_services():
        return name_of(models.load(service))
    return "query" if b"Action=" in exchange.request.body else "rest-json"


def _unsigned(exchange: Exchange) -> Principal:
    open_to_all = exchange.model.auth_type == "none" or (exchange.model.auth or [""])[0].endswith("#noAuth")
    if exchange.protocol == "rest-xml" or open_to_all:
        return _ANONYMOUS
    raise refusals.missing_token()


def _verified(parts: Parts, exchange: Exchange, signature: Signature | SignatureV2) -> Principal:
    credential = parts.keyring.find(signature.access_key_id, signature.token)
    request, now, skew = exchange.request, parts.now(), parts.settings.limits.clock_skew_seconds
    if isinstance(signature, SignatureV2):
        sigv2.check_time(signature, request, now, skew)
        sigv2.verify(signature, request, credential.secret_key, exchange.target.bucket)
        return credential.principal
    _check_scope(exchange, signature)
    sigv4.check_time(signature, now, skew)
    s3 = exchange.protocol == "rest-xml"
    hashed = payload.hash_for_signature(request, presigned=signature.presigned, s3=s3)
    sigv4.verify(signature, request, credential.secret_key, hashed)
    return credential.principal


def _check_scope(exchange: Exchange, signature: Signature) -> None:
    """A signature made for one service is good for no other."""
    names = _scopes(exchange.target.service)
    if signature.service not in names:
        text = f"Credential should be scoped to correct service: '{names[0]}'. "
        raise AWSError("SignatureDoesNotMatch", text, status=403)


@cache
def _scopes(service: str) -> tuple[str, str]:
    """What a signature's scope may call it: the signing name first."""
    model = models.load(service)
    return model.signing_name, model.endpoint_prefix


def _check_required(exchange: Exchange) -> None:
    shape = exchange.model.input_shape
    params: Params = exchange.params
    for name in shape.required_members if shape is not None else ():
        if params.get(name) is None and name != exchange.streamed:
            raise AWSError("InvalidRequest", f"Missing required parameter: {name}")
