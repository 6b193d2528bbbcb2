"""A streamed body on its way to whoever keeps it: out of its chunks; its length, hash and signatures are checked."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator

from clary.errors import AWSError
from clary.gateway.sigv4 import UNSIGNED_PAYLOAD, Signature, mismatch
from clary.wire.chunked import ChunkCheck, Decoder, TrailerCheck, incomplete_body
from clary.wire.http import HttpRequest

_STREAMING = "STREAMING-"
_SIGNED = frozenset({"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"})
_UNSIGNED = frozenset({"STREAMING-UNSIGNED-PAYLOAD-TRAILER"})
_EMPTY = hashlib.sha256().hexdigest()


def declared(request: HttpRequest) -> str:
    """What the request says of its body: a SHA-256 in hex, or a word that stands for it; empty where nothing."""
    return request.headers.get("x-amz-content-sha256", "")


def is_hash(payload: str) -> bool:
    """Whether the body's own hash was declared."""
    return len(payload) == 64


async def pieces(
    arriving: AsyncIterator[bytes], request: HttpRequest, signature: Signature | None, key: bytes
) -> AsyncIterator[bytes]:
    """The body's data as it arrives; `key` is the signing key (unused where `signature` is None).

    Raises AWSError at the end, or before, where the data is not what was announced (IncompleteBody,
    XAmzContentSHA256Mismatch, SignatureDoesNotMatch, InvalidRequest). `request.trailers` are known at the end.
    """
    payload, size = declared(request), 0
    digest = hashlib.sha256() if is_hash(payload) else None
    data = _unwrapped(arriving, request, signature, key) if payload.startswith(_STREAMING) else arriving
    async for piece in data:
        size += len(piece)
        if digest:
            digest.update(piece)
        yield piece
    if size != announced_size(request, default=size):
        raise incomplete_body()
    if digest and digest.hexdigest() != payload.lower():
        raise hash_mismatch(payload, digest.hexdigest())


def announced_size(request: HttpRequest, default: int = -1) -> int:
    """The number of bytes of data that the request announces. Raises AWSError (InvalidArgument)."""
    headers = request.headers
    chunked = declared(request).startswith(_STREAMING)
    text = headers.get("x-amz-decoded-content-length" if chunked else "content-length")
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()):
        raise AWSError("InvalidArgument", f"{text!r} is no length.")
    return int(text)


def check_announced(request: HttpRequest) -> None:
    """Raises AWSError (MissingContentLength) where the body's length is not announced."""
    if announced_size(request) < 0:
        raise AWSError("MissingContentLength", "You must provide the Content-Length HTTP header.", status=411)
    payload = declared(request)
    if payload.startswith(_STREAMING) and payload not in _SIGNED | _UNSIGNED:
        raise AWSError("NotImplemented", f"{payload} is not supported.", status=501)


def unwrap_headers(request: HttpRequest) -> None:
    """Forget `aws-chunked`: it tells how the body travelled, not how the object is encoded."""
    encoding = request.headers.get("content-encoding")
    if encoding and "aws-chunked" in encoding:
        kept = [part for part in (p.strip() for p in encoding.split(",")) if part and part != "aws-chunked"]
        if kept:
            request.headers["content-encoding"] = ",".join(kept)
        else:
            del request.headers["content-encoding"]


def check_hash(request: HttpRequest) -> None:
    """For a body in memory. Raises AWSError (XAmzContentSHA256Mismatch)."""
    payload = declared(request)
    if is_hash(payload):
        computed = hashlib.sha256(request.sent).hexdigest()
        if computed != payload.lower():
            raise hash_mismatch(payload, computed)


def hash_for_signature(request: HttpRequest, *, presigned: bool, s3: bool) -> str:
    """What stands for the body in the text that was signed. Raises AWSError (InvalidRequest)."""
    payload = declared(request)
    if payload:
        if payload == UNSIGNED_PAYLOAD and not s3:
            raise mismatch(s3=False)
        return payload
    if s3 and presigned:
        return request.query_map.get("X-Amz-Content-Sha256", UNSIGNED_PAYLOAD)
    if s3:
        raise AWSError("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
    return hashlib.sha256(request.sent).hexdigest()


def hash_mismatch(payload: str, computed: str) -> AWSError:
    """The body is not the one whose hash was signed."""
    return AWSError(
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
        members={"ClientComputedContentSHA256": payload, "S3ComputedContentSHA256": computed},
    )


async def _unwrapped(
    arriving: AsyncIterator[bytes], request: HttpRequest, signature: Signature | None, key: bytes
) -> AsyncIterator[bytes]:
    decoder = _decoder(declared(request), signature, key)
    async for data in arriving:
        for piece in decoder.feed(data):
            yield piece
    decoder.close()
    request.trailers.update(decoder.trailers)


def _decoder(payload: str, signature: Signature | None, key: bytes) -> Decoder:
    if payload in _UNSIGNED or signature is None:
        return Decoder()
    chain = _Chain(signature, key)
    return Decoder(chain.chunk, chain.trailer if payload.endswith("-TRAILER") else None)


class _Chain:
    """Each chunk's signature covers the one before it; the first follows the request's own."""

    def __init__(self, signature: Signature, key: bytes) -> None:
        self._stamp, self._scope = signature.stamp, signature.scope
        self._last = signature.signature
        self._key = key
        self.chunk: ChunkCheck = self._chunk
        self.trailer: TrailerCheck = self._trailer

    def _chunk(self, digest: bytes, signature: str) -> None:
        self._follow("AWS4-HMAC-SHA256-PAYLOAD", f"{_EMPTY}\n{digest.hex()}", signature)

    def _trailer(self, canonical: bytes, signature: str) -> None:
        self._follow("AWS4-HMAC-SHA256-TRAILER", hashlib.sha256(canonical).hexdigest(), signature)

    def _follow(self, algorithm: str, hashes: str, signature: str) -> None:
        text = f"{algorithm}\n{self._stamp}\n{self._scope}\n{self._last}\n{hashes}"
        expected = hmac.digest(self._key, text.encode(), "sha256").hex()
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise mismatch(s3=True)
        self._last = expected
