"""What a request says of its body, and whether that is so."""

from __future__ import annotations

import hashlib

from clary.errors import AWSError
from clary.gateway.sigv4 import UNSIGNED_PAYLOAD, mismatch
from clary.wire.http import HttpRequest

STREAMING = "STREAMING-"
_SIGNED = frozenset({"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"})
UNSIGNED = frozenset({"STREAMING-UNSIGNED-PAYLOAD-TRAILER"})


def declared(request: HttpRequest) -> str:
    """What the request says of its body: a SHA-256 in hex, or a word that stands for it; empty where nothing."""
    return request.headers.get("x-amz-content-sha256", "")


def is_hash(payload: str) -> bool:
    """Whether the body's own hash was declared."""
    return len(payload) == 64


def announced_size(request: HttpRequest, default: int = -1) -> int:
    """The number of bytes of data that the request announces. Raises AWSError (InvalidArgument)."""
    headers = request.headers
    chunked = declared(request).startswith(STREAMING)
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
    if payload.startswith(STREAMING) and payload not in _SIGNED | UNSIGNED:
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
