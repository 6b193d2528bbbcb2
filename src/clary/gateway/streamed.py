"""A streamed body on its way to whoever keeps it: out of its chunks; its length, hash and signatures are checked."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator

from clary.errors import AWSError
from clary.gateway.incoming import Incoming
from clary.gateway.payload import STREAMING, UNSIGNED, announced_size, declared, hash_mismatch, is_hash
from clary.gateway.sigv4 import Signature, mismatch
from clary.wire.chunked import ChunkCheck, Decoder, TrailerCheck, incomplete_body
from clary.wire.http import HttpRequest

_EMPTY = hashlib.sha256().hexdigest()

_CHECKSUM = "x-amz-checksum-"
"""What a trailer may be: rights on all else were looked at before the body came."""


async def chunks(incoming: Incoming) -> AsyncIterator[bytes]:
    """The pieces of a body as they come. Raises AWSError (RequestTimeout), ClientGone."""
    while not incoming.whole:
        if body := await incoming.next():
            yield body


async def pieces(
    arriving: AsyncIterator[bytes], request: HttpRequest, signature: Signature | None, key: bytes
) -> AsyncIterator[bytes]:
    """The body's data as it arrives; `key` is the signing key (unused where `signature` is None).

    Raises AWSError at the end, or before, where the data is not what was announced (IncompleteBody,
    XAmzContentSHA256Mismatch, SignatureDoesNotMatch, InvalidRequest, MalformedTrailerError). `request.trailers` are
    known at the end.
    """
    payload, size = declared(request), 0
    digest = hashlib.sha256() if is_hash(payload) else None
    data = _unwrapped(arriving, request, signature, key) if payload.startswith(STREAMING) else arriving
    async for piece in data:
        size += len(piece)
        if digest:
            digest.update(piece)
        yield piece
    if size != announced_size(request, default=size):
        raise incomplete_body()
    if digest and digest.hexdigest() != payload.lower():
        raise hash_mismatch(payload, digest.hexdigest())


async def _unwrapped(
    arriving: AsyncIterator[bytes], request: HttpRequest, signature: Signature | None, key: bytes
) -> AsyncIterator[bytes]:
    decoder = _decoder(declared(request), signature, key)
    async for data in arriving:
        for piece in decoder.feed(data):
            yield piece
    decoder.close()
    if not all(name.startswith(_CHECKSUM) for name in decoder.trailers):
        raise AWSError(
            "MalformedTrailerError",
            "The request contained trailing data that was not well-formed or did not conform to our published schema.",
        )
    request.trailers.update(decoder.trailers)


def _decoder(payload: str, signature: Signature | None, key: bytes) -> Decoder:
    if payload in UNSIGNED or signature is None:
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
