"""Objects: put, get, head, delete, copy (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_S3.html)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clary.errors import AWSError
from clary.objects.body import receive_bytes
from clary.objects.checksums import DEFAULT_ALGORITHM
from clary.objects.model import Attributes, ObjectInfo, Received
from clary.objects.store import ObjectStore
from clary.services.context import Context, EdgeContext
from clary.services.s3.access import deletion
from clary.services.s3.attributes import (
    asked_algorithm,
    checksums,
    encryption,
    from_header,
    from_request,
    quoted,
    shown,
)
from clary.services.s3.conditions import check_copy_source, check_read, write_guard
from clary.services.s3.copy_source import CopySource
from clary.services.s3.errors import invalid_argument, invalid_request, malformed_xml
from clary.services.s3.ranges import Span, span
from clary.services.s3.service import SERVICE
from clary.services.s3.targets import (
    check_key,
    check_version,
    owned_bucket,
    require_bucket,
    require_object,
    require_visible,
)
from clary.wire.http import Extent

MAX_COPY_BYTES = 5 * 2**30
_MAX_DELETES = 1000

_OVERRIDES = (
    ("ResponseCacheControl", "CacheControl"),
    ("ResponseContentDisposition", "ContentDisposition"),
    ("ResponseContentEncoding", "ContentEncoding"),
    ("ResponseContentLanguage", "ContentLanguage"),
    ("ResponseContentType", "ContentType"),
    ("ResponseExpires", "Expires"),
)


@SERVICE.operation("PutObject")
def put_object(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """The body has arrived; what is checked here decides whether it becomes an object."""
    body = received_body(context.objects, params)
    try:
        bucket = require_bucket(context.objects, params)
        check_key(params["Key"])
        attributes = from_request(bucket, params, context.call.principal)
        guard = write_guard(params["Key"], params)
    except AWSError:
        context.objects.files.remove(body["file"])
        raise
    info = context.objects.put(bucket.name, params["Key"], body, attributes, guard)
    kept = info.attributes
    return {"ETag": quoted(info.etag), **checksums(kept.checksums, kept.checksum_type), **encryption(kept)}


def received_body(objects: ObjectStore, params: dict[str, Any]) -> Received:
    """The body as it was taken in at the edge; one given as bytes, by a call from inside, is taken in here."""
    body = params.get("Body", b"")
    if isinstance(body, bytes):
        return receive_bytes(objects.files, body, asked_algorithm(params) or DEFAULT_ALGORITHM)
    received: Received = body
    return received


@SERVICE.operation("GetObject", place="edge")
def get_object(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    info = require_visible(context, params)
    check_read(info, params)
    wanted = span(info, params)
    body = Extent(context.objects.segments(info, wanted.start, wanted.length), wanted.length)
    return {"Body": body, **_described(info, wanted, params)}


@SERVICE.operation("HeadObject", place="edge")
def head_object(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    info = require_visible(context, params)
    check_read(info, params)
    return _described(info, span(info, params), params)


def _described(info: ObjectInfo, wanted: Span, params: dict[str, Any]) -> dict[str, Any]:
    output = {**shown(info), "ContentLength": wanted.length}
    if wanted.content_range:
        output["ContentRange"] = wanted.content_range
    if "PartNumber" in params and info.parts_count:
        output["PartsCount"] = info.parts_count
    if params.get("ChecksumMode") == "ENABLED" and not wanted.partial:
        output |= checksums(info.attributes.checksums, info.attributes.checksum_type)
    return {**output, **{member: params[name] for name, member in _OVERRIDES if params.get(name)}}


@SERVICE.operation("DeleteObject")
def delete_object(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    require_bucket(context.objects, params)
    check_version(params["Key"], params.get("VersionId"))
    context.objects.delete(params["Bucket"], [params["Key"]], write_guard(params["Key"], params))
    return {}


@SERVICE.operation("DeleteObjects")
def delete_objects(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    require_bucket(context.objects, params)
    entries = params["Delete"].get("Objects", [])
    if not 1 <= len(entries) <= _MAX_DELETES or not all(entry.get("Key") for entry in entries):
        raise malformed_xml()
    deleted, errors = [], []
    for entry in entries:
        try:
            context.authorise(deletion(params["Bucket"], entry["Key"]))
            check_version(entry["Key"], entry.get("VersionId"))
        except AWSError as refusal:
            errors.append({**entry, "Code": refusal.code, "Message": refusal.message})
        else:
            deleted.append(entry)
    context.objects.delete(params["Bucket"], [entry["Key"] for entry in deleted])
    return {"Deleted": [] if params["Delete"].get("Quiet") else deleted, "Errors": errors}


@SERVICE.operation("CopyObject")
def copy_object(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    bucket = require_bucket(context.objects, params)
    check_key(params["Key"])
    source = require_source(context, params)
    _check_worth_it(source, params)
    if source.size > MAX_COPY_BYTES:
        what = (
            f"The specified copy source is larger than the maximum allowable size for a copy source: {MAX_COPY_BYTES}"
        )
        raise invalid_request(what)
    attributes = _copied_attributes(source, from_request(bucket, params, context.call.principal), params)
    info = context.objects.copy(
        source,
        bucket.name,
        params["Key"],
        attributes,
        algorithm=asked_algorithm(params),
        guard=write_guard(params["Key"], params),
    )
    kept = info.attributes
    result = {"ETag": quoted(info.etag), "LastModified": info.modified, **_all_checksums(kept)}
    return {"CopyObjectResult": result, **encryption(kept)}


def require_source(context: Context, params: Mapping[str, Any]) -> ObjectInfo:
    """The object that a copy is made of. Raises NoSuchBucket, NoSuchKey, NoSuchVersion, PreconditionFailed."""
    source = CopySource.parse(params["CopySource"])
    owned_bucket(context.objects, source.bucket, params.get("ExpectedSourceBucketOwner"))
    named = {"Bucket": source.bucket, "Key": source.key, "VersionId": source.version}
    info = require_object(context.objects, named)
    check_copy_source(info, dict(params))
    return info


def _all_checksums(attributes: Attributes) -> dict[str, Any]:
    return checksums(attributes.checksums, attributes.checksum_type)


def _copied_attributes(source: ObjectInfo, asked: Attributes, params: dict[str, Any]) -> Attributes:
    """The source's, unless the directives say REPLACE; storage class and encryption are the request's in any case."""
    of_source = source.attributes
    if _replaces("metadata", params.get("MetadataDirective")):
        chosen = asked
    else:
        headers = {**of_source.headers, **encryption(asked)}
        chosen = replace(asked, content_type=of_source.content_type, headers=headers, metadata=of_source.metadata)
    replaced = _replaces("tagging", params.get("TaggingDirective"))
    return replace(chosen, tags=from_header(params.get("Tagging", "")) if replaced else of_source.tags)


def _replaces(what: str, directive: str | None) -> bool:
    """Raises InvalidArgument for a directive that is neither COPY nor REPLACE."""
    if directive not in (None, "COPY", "REPLACE"):
        raise invalid_argument(f"Unknown {what} directive.", f"x-amz-{what}-directive", str(directive))
    return directive == "REPLACE"


_CHANGES = ("StorageClass", "ServerSideEncryption", "WebsiteRedirectLocation", "ChecksumAlgorithm")


def _check_worth_it(source: ObjectInfo, params: dict[str, Any]) -> None:
    """Raises InvalidRequest for a copy of an object to itself that changes nothing."""
    same = (source.bucket, source.key) == (params["Bucket"], params["Key"])
    replaces = "REPLACE" in (params.get("MetadataDirective"), params.get("TaggingDirective"))
    if same and not replaces and not any(params.get(name) for name in _CHANGES):
        raise invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes."
        )
