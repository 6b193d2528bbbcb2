"""The condition keys that a request's way here brings
(https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html)."""

from __future__ import annotations

import time
from typing import Final

from clary.gateway.sigv2 import SignatureV2
from clary.gateway.sigv4 import ALGORITHM, Signature, moment
from clary.wire.http import HttpRequest

_HEADERS: Final = (
    ("aws:Referer", "referer"),
    ("aws:UserAgent", "user-agent"),
    ("s3:x-amz-content-sha256", "x-amz-content-sha256"),
)


def transport(request: HttpRequest, signature: Signature | SignatureV2 | None) -> dict[str, str]:
    """`aws:SecureTransport`, `aws:Referer`, `aws:UserAgent`, and how the request was signed."""
    keys = {"aws:SecureTransport": "true" if request.secure else "false"}
    for key, name in _HEADERS:
        if name in request.headers:
            keys[key] = request.headers[name]
    if signature is None:
        return keys
    keys["s3:authType"] = "REST-QUERY-STRING" if signature.presigned else "REST-HEADER"
    keys["s3:signatureversion"] = "AWS" if isinstance(signature, SignatureV2) else ALGORITHM
    if isinstance(signature, Signature):
        signed = moment(signature.stamp)
        if signed is not None:  # else it is refused
            keys["s3:signatureAge"] = str(max(0, round((time.time() - signed) * 1000)))
    return keys
