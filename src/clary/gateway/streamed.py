"""A streamed body on its way to whoever keeps it: out of its chunks; its length, hash and signatures are checked."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Iterator

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
    reading = _Reading(request, signature, key)
    async for data in arriving:
        for piece in reading.feed(data):
            yield piece
    reading.close()


def whole(body: bytes, request: HttpRequest, signature: Signature | None, key: bytes) -> bytes:
    """`pieces` of a body that is all here, joined. Raises AWSError, as that does."""
    reading = _Reading(request, signature, key)
    data = list(reading.feed(body))
    reading.close()
    return data[0] if len(data) == 1 else b"".join(data)


class _Reading:
    """One body on its way out of its chunks."""

    def __init__(self, request: HttpRequest, signature: Signature | None, key: bytes) -> None:
        self._request = request
        self._payload = declared(request)
        self._size = 0
        self._digest = hashlib.sha256() if is_hash(self._payload) else None
        chunked = self._payload.startswith(STREAMING)
        self._decoder = _decoder(self._payload, signature, key) if chunked else None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What of the object is in it."""
        for piece in self._decoder.feed(data) if self._decoder else (data,):
            self._size += len(piece)
            if self._digest:
                self._digest.update(piece)
            yield piece

    def close(self) -> None:
        """There is no more. Raises AWSError where that was not all, or not what it should be."""
        if self._decoder:
            self._take_trailers(self._decoder)
        if self._size != announced_size(self._request, default=self._size):
            raise incomplete_body()
        if self._digest and self._digest.hexdigest() != self._payload.lower():
            raise hash_mismatch(self._payload, self._digest.hexdigest())

    def _take_trailers(self, decoder: Decoder) -> None:
        decoder.close()
        if not all(name.startswith(_CHECKSUM) for name in decoder.trailers):
            raise AWSError(
                "MalformedTrailerError",
                "The request contained trailing data that was not well-formed or did not conform to our published "
                "schema.",
            )
        self._request.trailers.update(decoder.trailers)


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
