"""AWS Signature Version 4, read and checked
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html)."""

from __future__ import annotations

import hashlib
import hmac
from calendar import timegm
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from time import gmtime, strftime, strptime
from typing import Final, NamedTuple
from urllib.parse import quote, quote_from_bytes, unquote_to_bytes

from clary.errors import AWSError
from clary.wire.http import HttpRequest

ALGORITHM: Final = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_STAMP = "%Y%m%dT%H%M%SZ"
_LONGEST_PRESIGNED = 604_800
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
_S3_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
)
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key"
    " and signing method. Consult the service documentation for details."
)


class Signer(NamedTuple):
    """What all requests have in common that one client signs in one day."""

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: str
    """Names in lower case, joined by semicolons, as they were signed."""


class Signature:
    """What a request says about how it was signed."""

    __slots__ = (
        *("access_key_id", "date", "expires", "region", "service"),
        *("signature", "signed_headers", "stamp", "token"),
    )

    def __init__(
        self, signer: Signer, signature: str, stamp: str, token: str | None = None, expires: int | None = None
    ) -> None:
        """`stamp`: when it was signed, as `20261121T031500Z`; `expires`: seconds that a presigned URL lives, None where
        the signature stands in a header."""
        self.access_key_id = signer.access_key_id
        self.date = signer.date
        self.region = signer.region
        self.service = signer.service
        self.signed_headers = signer.signed_headers
        self.signature = signature
        self.stamp = stamp
        self.token = token
        self.expires = expires

    @property
    def scope(self) -> str:
        """The credential's scope."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"

    @property
    def presigned(self) -> bool:
        """Whether the signature stands in the query."""
        return self.expires is not None


def read(request: HttpRequest) -> Signature | None:
    """The request's signature, None where it has none of this kind. Raises AWSError (IncompleteSignature, …)."""
    header = request.headers.get("authorization", "")
    if header.startswith("AWS4-"):
        return _from_header(header, request)
    if "X-Amz-Algorithm=" in request.raw_query:
        return _from_query(request)
    return None


def _from_header(header: str, request: HttpRequest) -> Signature:
    before, _, last = header.rpartition(",")
    signer = _signer(before)
    name, _, value = last.strip().partition("=")
    token = request.headers.get("x-amz-security-token")
    if signer is not None and name == "Signature" and value:
        return Signature(signer, value, _stamp(request), token)
    fields = _fields(header)
    missing = [name for name in ("Credential", "Signature", "SignedHeaders") if not fields.get(name)]
    if missing:
        raise incomplete("".join(f"Authorization header requires '{name}' parameter. " for name in missing).strip())
    access_key_id, scope = _credential(fields["Credential"])
    found = Signer(access_key_id, *scope, fields["SignedHeaders"])
    return Signature(found, fields["Signature"], _stamp(request), token)


@lru_cache(maxsize=1024)
def _signer(header: str) -> Signer | None:
    """What stands before the signature in a header; None where it is not the usual."""
    try:
        fields = _fields(header)
        access_key_id, scope = _credential(fields.get("Credential", ""))
    except AWSError:
        return None
    if fields.keys() != {"Credential", "SignedHeaders"} or not fields["SignedHeaders"]:
        return None
    return Signer(access_key_id, *scope, fields["SignedHeaders"])


def _fields(header: str) -> dict[str, str]:
    algorithm, _, rest = header.partition(" ")
    if algorithm != ALGORITHM:
        raise incomplete(f"Unsupported AWS 'algorithm': '{algorithm}'")
    return dict(part.strip().partition("=")[::2] for part in rest.split(","))


def _from_query(request: HttpRequest) -> Signature:
    query = request.query_map
    if query.get("X-Amz-Algorithm") != ALGORITHM:
        raise bad_query('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"')
    wanted = ("X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Expires")
    if not all(query.get(name) for name in wanted):
        raise bad_query(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature,"
            " X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
        )
    access_key_id, scope = _credential(query["X-Amz-Credential"])
    return Signature(
        Signer(access_key_id, *scope, query["X-Amz-SignedHeaders"]),
        query["X-Amz-Signature"],
        query["X-Amz-Date"],
        query.get("X-Amz-Security-Token"),
        _expires(query["X-Amz-Expires"]),
    )


def _expires(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise bad_query("X-Amz-Expires should be a number")
    digits = text.lstrip("0")[:9] or "0"  # Python refuses to read thousands of them
    if int(digits) > _LONGEST_PRESIGNED:
        raise bad_query(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be"
            " less than 604800 seconds"
        )
    return int(digits)


@lru_cache(maxsize=1024)
def _credential(text: str) -> tuple[str, tuple[str, str, str]]:
    parts = text.rsplit("/", 4)
    if len(parts) != 5 or parts[4] != "aws4_request" or not all(parts):
        raise incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term,"
            f" got '{text}'"
        )
    return parts[0], (parts[1], parts[2], parts[3])


def _stamp(request: HttpRequest) -> str:
    stamp = request.headers.get("x-amz-date")
    if stamp:
        return stamp
    try:
        return parsedate_to_datetime(request.headers["date"]).astimezone(UTC).strftime(_STAMP)
    except (KeyError, ValueError, OverflowError):  # a day after the year 9999
        raise incomplete(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        ) from None


@lru_cache(maxsize=1024)
def signing_key(secret_key: str, date: str, region: str, service: str) -> bytes:
    """The key of one day, region and service; kept, since a client signs many requests with it."""
    key = f"AWS4{secret_key}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


@lru_cache(maxsize=1024)
def _keyed(secret_key: str, date: str, region: str, service: str) -> hmac.HMAC:
    """To be copied: making one from its key takes twice as long."""
    return hmac.new(signing_key(secret_key, date, region, service), digestmod="sha256")


def verify(signature: Signature, request: HttpRequest, secret_key: str, payload: str) -> None:
    """Raises AWSError (SignatureDoesNotMatch) unless the request was signed with this key.

    `payload` is the body's SHA-256 in hex, or the word that stands for it.
    """
    s3 = signature.service == "s3"
    _check_signed_headers(signature, request, s3)
    canonical = canonical_request(signature, request, payload)
    text = f"{ALGORITHM}\n{signature.stamp}\n{signature.scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    mac = _keyed(secret_key, signature.date, signature.region, signature.service).copy()
    mac.update(text.encode())
    expected = mac.hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.signature.encode()):
        raise mismatch(s3=s3)


def _check_signed_headers(signature: Signature, request: HttpRequest, s3: bool) -> None:
    signed = _names(signature.signed_headers)
    if "host" not in signed:
        raise AWSError(
            "SignatureDoesNotMatch",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
            status=403,
        )
    if s3:
        loose = [name for name in request.headers if name.startswith("x-amz-") and name not in signed]
        if loose:
            members = {"HeadersNotSigned": ", ".join(loose)}
            text = "There were headers present in the request which were not signed"
            raise AWSError("AccessDenied", text, status=403, members=members)


@lru_cache(maxsize=256)
def _names(signed_headers: str) -> tuple[str, ...]:
    return tuple(signed_headers.split(";"))


def canonical_request(signature: Signature, request: HttpRequest, payload: str) -> str:
    """The text whose hash is signed."""
    headers = request.headers
    lines = [f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in _names(signature.signed_headers)]
    path = _s3_path(request.raw_path) if signature.service == "s3" else _path(request.raw_path)
    query = _query(request.raw_query, signed_in_query=signature.presigned)
    return f"{request.method}\n{path}\n{query}\n{''.join(lines)}\n{signature.signed_headers}\n{payload}"


def _s3_path(raw_path: str) -> str:
    """Encoded once; a slash that came as `%2F` stays one."""
    if _UNRESERVED.issuperset(raw_path):
        return raw_path or "/"
    return "/".join(quote_from_bytes(unquote_to_bytes(part), safe="~") for part in raw_path.split("/"))


@lru_cache(maxsize=4096)
def _path(raw_path: str) -> str:
    """Without dot segments and empty ones, and the wire's encoding encoded once more."""
    if raw_path in ("", "/"):
        return "/"
    kept: list[str] = []
    for part in raw_path.split("/"):
        if part == "..":
            del kept[-1:]
        elif part not in ("", "."):
            kept.append(part)
    path = "/".join(kept)
    tail = "/" if kept and raw_path.endswith("/") else ""
    return quote(f"/{path}{tail}", safe="/~")


def _query(raw_query: str, *, signed_in_query: bool) -> str:
    if not raw_query:
        return ""
    pairs = [part.partition("=") for part in raw_query.split("&") if part]
    encoded = [(_encoded(name), _encoded(value)) for name, _, value in pairs]
    if signed_in_query:
        encoded = [pair for pair in encoded if pair[0] != "X-Amz-Signature"]
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))


def _encoded(text: str) -> str:
    if text.isascii() and text.isalnum():
        return text
    return quote_from_bytes(unquote_to_bytes(text.replace("+", " ")), safe="~")


def check_time(signature: Signature, now: float, skew: float) -> None:
    """Raises AWSError where the request was signed too long ago, or lies in the future. `now` and `skew` in seconds."""
    signed = moment(signature.stamp)
    if signed is None:
        raise incomplete(f"Date must be in ISO-8601 'basic format'. Got '{signature.stamp}'.")
    if signature.stamp[:8] != signature.date:
        raise _wrong_day(signature)
    if signature.expires is not None:
        _check_presigned(signature, signed, now, skew)
    elif abs(now - signed) > skew:
        raise _skewed(signature, signed, now, skew)


@lru_cache(maxsize=256)
def moment(stamp: str) -> int | None:
    """A stamp as seconds since 1970; None where it is none. Kept, since many requests are signed in one second."""
    try:
        return timegm(strptime(stamp, _STAMP))
    except ValueError:
        return None


def _check_presigned(signature: Signature, signed: float, now: float, skew: float) -> None:
    if signed - now > skew:
        raise AWSError("AccessDenied", "Request is not valid yet", status=403)
    assert signature.expires is not None  # noqa: S101  only presigned requests come here
    if now > signed + signature.expires:
        members = {
            "X-Amz-Expires": signature.expires,
            "Expires": iso(signed + signature.expires),
            "ServerTime": iso(now),
        }
        raise AWSError("AccessDenied", "Request has expired", status=403, members=members)


def _skewed(signature: Signature, signed: float, now: float, skew: float) -> AWSError:
    if signature.service == "s3":
        members = {
            "RequestTime": signature.stamp,
            "ServerTime": iso(now),
            "MaxAllowedSkewMilliseconds": int(skew * 1000),
        }
        text = "The difference between the request time and the current time is too large."
        return AWSError("RequestTimeTooSkewed", text, status=403, members=members)
    minutes = int(skew // 60)
    there = strftime(_STAMP, gmtime(now))
    if signed < now:
        limit = strftime(_STAMP, gmtime(now - skew))
        text = f"Signature expired: {signature.stamp} is now earlier than {limit} ({there} - {minutes} min.)"
    else:
        limit = strftime(_STAMP, gmtime(now + skew))
        text = f"Signature not yet current: {signature.stamp} is still later than {limit} ({there} + {minutes} min.)"
    return AWSError("SignatureDoesNotMatch", text, status=403)


def _wrong_day(signature: Signature) -> AWSError:
    return AWSError(
        "SignatureDoesNotMatch",
        f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP:"
        f" '{signature.date}' != '{signature.stamp[:8]}', from '{signature.stamp}'.",
        status=403,
    )


def iso(seconds: float) -> str:
    """A moment as S3's errors write it."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def mismatch(*, s3: bool) -> AWSError:
    """The answer to a wrong signature."""
    return AWSError("SignatureDoesNotMatch", _S3_MISMATCH if s3 else _MISMATCH, status=403)


def incomplete(message: str) -> AWSError:
    """The answer to a signature that lacks a part."""
    return AWSError("IncompleteSignature", message, status=400)


def bad_query(message: str) -> AWSError:
    """S3's answer to a presigned URL that lacks a part."""
    return AWSError("AuthorizationQueryParametersError", message, status=400)
