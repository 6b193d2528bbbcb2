"""S3's old signatures (version 2), in which boto3 and the AWS CLI still presign URLs by default in us-east-1
(https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html)."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from clary.errors import AWSError
from clary.gateway.sigv4 import incomplete, iso, mismatch
from clary.wire.http import HttpRequest

_SUBRESOURCES = frozenset(
    {
        "accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle", "location",
        "logging", "metrics", "notification", "object-lock", "partNumber", "policy", "replication", "requestPayment",
        "response-cache-control", "response-content-disposition", "response-content-encoding",
        "response-content-language", "response-content-type", "response-expires", "restore", "select", "select-type",
        "storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning", "versions", "website",
    }
)  # fmt: skip


@dataclass(frozen=True)
class SignatureV2:
    """What a request says about how it was signed."""

    access_key_id: str
    signature: str
    date: str
    """The Date that was signed: seconds since 1970 for a presigned URL; empty where `x-amz-date` stands for it."""
    presigned: bool
    token: str | None = None


def read(request: HttpRequest) -> SignatureV2 | None:
    """The request's signature, None where it has none of this kind. Raises AWSError (IncompleteSignature)."""
    header = request.headers.get("authorization", "")
    if header.startswith("AWS "):
        return _from_header(header, request)
    if "AWSAccessKeyId=" not in request.raw_query:
        return None
    query = request.query_map
    if not query.get("Signature") or not query.get("Expires"):
        text = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
        raise AWSError("AccessDenied", text, status=403)
    token = query.get("x-amz-security-token")
    return SignatureV2(query["AWSAccessKeyId"], query["Signature"], query["Expires"], True, token)


def _from_header(header: str, request: HttpRequest) -> SignatureV2:
    access_key_id, colon, signature = header[4:].strip().partition(":")
    if not colon:
        raise incomplete("AWS authorization header is invalid.  Expected AwsAccessKeyId:signature")
    date = "" if "x-amz-date" in request.headers else request.headers.get("date", "")
    return SignatureV2(access_key_id, signature, date, False, request.headers.get("x-amz-security-token"))


def check_time(signature: SignatureV2, request: HttpRequest, now: float, skew: float) -> None:
    """Raises AWSError where a presigned URL has expired, or the clocks differ too much."""
    try:
        signed = _moment(signature, request)
    except ValueError:
        raise AWSError(
            "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header", status=403
        ) from None
    if signature.presigned:
        if now > signed:
            members = {"Expires": iso(signed), "ServerTime": iso(now)}
            raise AWSError("AccessDenied", "Request has expired", status=403, members=members)
    elif abs(now - signed) > skew:
        text = "The difference between the request time and the current time is too large."
        raise AWSError("RequestTimeTooSkewed", text, status=403)


def _moment(signature: SignatureV2, request: HttpRequest) -> float:
    if signature.presigned:
        if not (signature.date.isascii() and signature.date.isdigit()) or len(signature.date) > 11:
            raise ValueError(signature.date)
        return int(signature.date)
    return parsedate_to_datetime(signature.date or request.headers["x-amz-date"]).timestamp()


def verify(signature: SignatureV2, request: HttpRequest, secret_key: str, bucket: str | None) -> None:
    """Raises AWSError (SignatureDoesNotMatch); `bucket` is the one that the host names, where it names one."""
    given, key = signature.signature.encode(), secret_key.encode()
    for path in _paths(request, bucket):
        text = string_to_sign(signature, request, path)
        if hmac.compare_digest(base64.b64encode(hmac.digest(key, text.encode(), "sha1")), given):
            return
    raise mismatch(s3=True)


def _paths(request: HttpRequest, bucket: str | None) -> list[str]:
    """The path with the bucket. boto3 sends `/bucket` and signs `/bucket/`, as if the host named the bucket."""
    path = f"/{bucket}{request.raw_path}" if bucket else request.raw_path
    return [path] if path == "/" or path.count("/") > 1 else [path, f"{path}/"]


def string_to_sign(signature: SignatureV2, request: HttpRequest, path: str) -> str:
    """The text that is signed; `path` with the bucket."""
    headers = request.headers
    custom = {name: value.strip() for name, value in headers.items() if name.startswith("x-amz-")}
    if signature.presigned:
        custom.update({name: value for name, value in request.query if name.lower().startswith("x-amz-")})
    lines = [request.method, headers.get("content-md5", ""), headers.get("content-type", ""), signature.date]
    lines += [f"{name}:{value}" for name, value in sorted(custom.items())]
    return "\n".join([*lines, _resource(request, path)])


def _resource(request: HttpRequest, path: str) -> str:
    named = sorted((name, value) for name, value in request.query if name in _SUBRESOURCES)
    if not named:
        return path
    return f"{path}?{'&'.join(f'{name}={value}' if value else name for name, value in named)}"
