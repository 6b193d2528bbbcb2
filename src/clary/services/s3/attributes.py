"""What a request says about an object beside its bytes, and how an answer says it again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from clary.errors import AWSError
from clary.objects.checksums import ALGORITHMS
from clary.objects.model import DEFAULT_CONTENT_TYPE, Attributes, Bucket, ObjectInfo
from clary.services.context import Context
from clary.services.s3.acl_of_writes import of_object
from clary.services.s3.encoded_words import decoded, encoded
from clary.services.s3.encryption import shown_encryption, without_encryption
from clary.services.s3.errors import invalid_argument, invalid_request
from clary.services.s3.locking import asked_lock, shown_lock
from clary.services.s3.storage_classes import asked_class, shown_class
from clary.services.s3.tag_rules import checked_tags

MAX_METADATA_BYTES = 2048

_TEXTS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "WebsiteRedirectLocation",
)
"""Kept and given back as they came."""

_AWS_CHUNKED = "aws-chunked"


def from_request(context: Context, bucket: Bucket, params: dict[str, Any]) -> Attributes:
    """Of PutObject, CopyObject and CreateMultipartUpload; checksums and encryption are still to come.

    Raises MetadataTooLarge, InvalidTag, InvalidStorageClass, AccessControlListNotSupported, InvalidArgument,
    AccessDenied.
    """
    return Attributes(
        acl=of_object(context.objects, bucket, params, context.call.principal),
        content_type=params.get("ContentType") or DEFAULT_CONTENT_TYPE,
        headers=_headers(params),
        metadata=_metadata(params.get("Metadata", {})),
        tags=from_header(params.get("Tagging", "")),
        storage_class=asked_class(params),
        **asked_lock(bucket, params),
    )


def shown(info: ObjectInfo) -> dict[str, Any]:
    """The members that GetObject and HeadObject have in common, but for length, range and checksums."""
    attributes = info.attributes
    output: dict[str, Any] = {
        "AcceptRanges": "bytes",
        "LastModified": info.modified,
        "ETag": quoted(info.etag),
        "ContentType": attributes.content_type,
        "Metadata": {name: encoded(value) for name, value in attributes.metadata.items()},
        **without_encryption(attributes.headers),
        **shown_encryption(attributes),
        **shown_class(attributes),
    }
    if "Expires" in output:
        output["Expires"] = datetime.fromisoformat(output["Expires"])
    if attributes.tags:
        output["TagCount"] = len(attributes.tags)
    return {**output, **shown_lock(attributes)}


def checksums(values: Mapping[str, str], kind: str | None = None) -> dict[str, Any]:
    """Checksums as members of an answer: `ChecksumCRC32`, …, and `ChecksumType` where `kind` is given."""
    output: dict[str, Any] = {f"Checksum{algorithm}": value for algorithm, value in values.items()}
    return {**output, "ChecksumType": kind} if values and kind else output


def asked_checksums(params: Mapping[str, Any]) -> dict[str, str]:
    """The checksums that a request or a part of it names, by algorithm."""
    named = ((algorithm, params.get(f"Checksum{algorithm}")) for algorithm in ALGORITHMS)
    return {algorithm: value for algorithm, value in named if value}


def asked_algorithm(params: Mapping[str, Any]) -> str | None:
    """The checksum algorithm that is asked for by name. Raises InvalidRequest."""
    named = params.get("ChecksumAlgorithm")
    if named is None or named.upper() in ALGORITHMS:
        return named.upper() if named else None
    raise invalid_request(
        "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
        f"[{', '.join(ALGORITHMS)}]"
    )


def quoted(etag: str) -> str:
    """An entity tag as HTTP and S3's XML write it."""
    return f'"{etag}"'


def from_header(tagging: str) -> dict[str, str]:
    """`x-amz-tagging`: `key=value&…`, percent-encoded; a value may be missing. Raises InvalidArgument, BadRequest."""
    try:
        return checked_tags(parse_qsl(tagging, keep_blank_values=True))
    except (ValueError, AWSError) as reason:
        if isinstance(reason, AWSError) and reason.code != "InvalidTag":
            raise
        what = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without "
        raise invalid_argument(f"{what}tag name duplicates.", "x-amz-tagging", tagging) from None


def _headers(params: dict[str, Any]) -> dict[str, str]:
    headers = {name: params[name] for name in _TEXTS if params.get(name)}
    if "ContentEncoding" in headers:
        headers["ContentEncoding"] = _without_aws_chunked(headers["ContentEncoding"])
        if not headers["ContentEncoding"]:
            del headers["ContentEncoding"]
    if params.get("Expires"):
        headers["Expires"] = params["Expires"].isoformat()
    return headers


def _without_aws_chunked(encoding: str) -> str:
    """`aws-chunked` is how the body travelled, not what it is."""
    return ",".join(part for part in encoding.replace(" ", "").split(",") if part.lower() != _AWS_CHUNKED)


def _metadata(given: Mapping[str, str]) -> dict[str, str]:
    size = sum(len(name.encode()) + len(value.encode()) for name, value in given.items())
    if size > MAX_METADATA_BYTES:
        raise AWSError(
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
            members={"Size": str(size), "MaxSizeAllowed": str(MAX_METADATA_BYTES)},
        )
    return {name.lower(): decoded(value) for name, value in given.items()}
