"""Objects: put, get, head, delete, copy (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_S3.html)."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import Any

from clary.errors import AccessDenied, AWSError
from clary.objects.body import receive_bytes
from clary.objects.checksums import DEFAULT_ALGORITHM
from clary.objects.envelopes import SETTING
from clary.objects.model import NULL_VERSION, Attributes, Bucket, ObjectInfo, Received
from clary.objects.store import Deletion, Keys
from clary.objects.versions import Deleted
from clary.services.context import Context, EdgeContext
from clary.services.s3.access import deletion
from clary.services.s3.attributes import (
    asked_algorithm,
    checksums,
    from_header,
    from_request,
    quoted,
    shown,
)
from clary.services.s3.conditions import check_copy_source, check_read, deletion_guard, write_guard
from clary.services.s3.copy_source import CopySource
from clary.services.s3.data_keys import answered, check_readable, for_body, made_for, opened_at_edge, opened_object
from clary.services.s3.encryption import asked_key, key_for, new_encryption, said_key, without_encryption
from clary.services.s3.errors import invalid_argument, invalid_request, malformed_xml, no_such_version
from clary.services.s3.expiring import expiration
from clary.services.s3.locking import check_bypass, may_bypass
from clary.services.s3.ranges import Span, span
from clary.services.s3.service import SERVICE
from clary.services.s3.storage_classes import check_active, check_source_active
from clary.services.s3.targets import (
    check_key,
    known_version,
    owned_bucket,
    require_bucket,
    require_object,
    require_visible,
    version_of,
)
from clary.wire.http import Extent

MAX_COPY_BYTES = 5 * 2**30
_MAX_DELETES = 1000

Answer = dict[str, Any] | Awaitable[dict[str, Any]]
"""Of an operation that may have to wait for KMS."""

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
    body = received_body(context, params)
    try:
        bucket = require_bucket(context.objects, params)
        check_key(params["Key"])
        attributes = from_request(context, bucket, params)
        guard = write_guard(params["Key"], params)
    except AWSError:
        context.objects.forget(body)
        raise
    info = context.objects.put(bucket.name, params["Key"], body, attributes, guard)
    kept = info.attributes
    said = {"ETag": quoted(info.etag), **made_version(info), **expiration(bucket, info)}
    return {**said, **checksums(kept.checksums, kept.checksum_type), **new_encryption(kept, params)}


def made_version(info: ObjectInfo) -> dict[str, str]:
    """`VersionId` of a write's answer: where the bucket keeps versions."""
    return {} if info.version == NULL_VERSION else {"VersionId": info.version}


def received_body(context: Context, params: dict[str, Any]) -> Received:
    """The body as it was taken in at the edge; one given as bytes, by a call from inside, is taken in here. Raises what
    KMS does."""
    body = params.get("Body", b"")
    if isinstance(body, bytes):
        key = asked_key(params) or answered(context, for_body(context.objects, context.call))
        return receive_bytes(context.objects.files, body, asked_algorithm(params) or DEFAULT_ALGORITHM, key)
    received: Received = body
    return received


@SERVICE.operation("GetObject", place="edge")
def get_object(context: EdgeContext, params: dict[str, Any]) -> Answer:
    """At once, but where KMS has to be asked."""
    bucket, info = require_visible(context, params)
    check_active(info)
    key = key_for(info, params)
    check_read(info, params)
    wanted = span(info, params)
    said = _described(bucket, info, wanted, params)
    if check_readable(context, info):
        return _decrypted(context, bucket, info, wanted, said)
    return {"Body": _body(context, info, wanted, key), **said}


async def _decrypted(
    context: EdgeContext, bucket: Bucket, info: ObjectInfo, wanted: Span, said: dict[str, Any]
) -> dict[str, Any]:
    key = await opened_at_edge(context, bucket, info)
    return {"Body": _body(context, info, wanted, key), **said}


def _body(context: EdgeContext, info: ObjectInfo, wanted: Span, key: bytes | None) -> Extent:
    """As it is kept; what is encrypted there is decrypted as it is sent."""
    objects = context.objects
    if key is None:
        return objects.extent(info, wanted.start, wanted.length)
    return Extent((), wanted.length, made=lambda: objects.unsealed(info, key, wanted.start, wanted.length))


@SERVICE.operation("HeadObject", place="edge")
def head_object(context: EdgeContext, params: dict[str, Any]) -> Answer:
    """Checksums tell of the content: they need the key, where it is KMS's."""
    bucket, info = require_visible(context, params)
    key_for(info, params)
    check_read(info, params)
    said = _described(bucket, info, span(info, params), params)
    if _wants_checksums(params) and check_readable(context, info):
        return allowed_to_decrypt(context, bucket, info, said)
    return said


async def allowed_to_decrypt(
    context: EdgeContext, bucket: Bucket, info: ObjectInfo, said: dict[str, Any]
) -> dict[str, Any]:
    """What is said to one who may decrypt the object. Raises what KMS does."""
    await opened_at_edge(context, bucket, info)
    return said


def _described(bucket: Bucket, info: ObjectInfo, wanted: Span, params: dict[str, Any]) -> dict[str, Any]:
    output = {**shown(info), **said_key(params), "ContentLength": wanted.length, **version_of(bucket, info)}
    if "VersionId" not in params:
        output |= expiration(bucket, info)
    if wanted.content_range:
        output["ContentRange"] = wanted.content_range
    if "PartNumber" in params and info.parts_count:
        output["PartsCount"] = info.parts_count
    if _wants_checksums(params):
        output |= _checksums(info, wanted, params.get("PartNumber"))
    return {**output, **{member: params[name] for name, member in _OVERRIDES if params.get(name)}}


def _wants_checksums(params: dict[str, Any]) -> bool:
    """In whatever case, as on AWS."""
    mode: str = params.get("ChecksumMode", "")
    return mode.upper() == "ENABLED"


def _checksums(info: ObjectInfo, wanted: Span, part: int | None) -> dict[str, Any]:
    """Of what is answered: the whole object, by a range too, or the part that is asked for by its number."""
    kind = info.attributes.checksum_type
    if part is not None and info.parts_count:
        if kind == "FULL_OBJECT":
            return {}
        return checksums(info.pieces[part - 1].checksums, kind)
    some = wanted.length < info.size and part is None
    return {} if some else checksums(info.attributes.checksums, kind)


@SERVICE.operation("DeleteObject")
def delete_object(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    bucket = require_bucket(context.objects, params)
    bypass = may_bypass(context, bucket, params, params["Key"])
    version, guard = known_version(params.get("VersionId")), deletion_guard(params["Key"], params.get("IfMatch"))
    [outcome] = context.objects.delete_many(bucket.name, [Deletion(params["Key"], version, guard, bypass=bypass)])
    if isinstance(outcome, AWSError):
        raise outcome
    return {"VersionId": outcome.version, "DeleteMarker": outcome.marker or None}


@SERVICE.operation("DeleteObjects")
def delete_objects(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Each has an outcome of its own."""
    bucket = require_bucket(context.objects, params)
    entries = params["Delete"].get("Objects", [])
    if not 1 <= len(entries) <= _MAX_DELETES or not all(entry.get("Key") for entry in entries):
        raise malformed_xml()
    check_bypass(bucket, params)
    wanted = [_wanted(context, bucket, entry, params) for entry in entries]
    done = iter(context.objects.delete_many(bucket.name, [one for one in wanted if isinstance(one, Deletion)]))
    outcomes = [next(done) if isinstance(one, Deletion) else one for one in wanted]
    pairs = list(zip(entries, outcomes, strict=True))
    quiet = params["Delete"].get("Quiet")
    return {
        "Deleted": [_deleted(entry, one) for entry, one in pairs if isinstance(one, Deleted) and not quiet],
        "Errors": [_not_deleted(entry, one) for entry, one in pairs if isinstance(one, AWSError)],
    }


def _wanted(context: Context, bucket: Bucket, entry: dict[str, Any], params: dict[str, Any]) -> Deletion | AWSError:
    key, version = entry["Key"], entry.get("VersionId")
    try:
        context.authorise(deletion(bucket.name, key, version))
        guard = deletion_guard(key, entry.get("ETag"))
        return Deletion(key, known_version(version), guard, bypass=may_bypass(context, bucket, params, key))
    except AWSError as refusal:
        foreign = refusal.members.get("ArgumentName") == "versionId"
        return no_such_version(key, str(version)) if foreign else refusal


def _deleted(entry: dict[str, Any], outcome: Deleted) -> dict[str, Any]:
    named: dict[str, Any] = {name: entry[name] for name in ("Key", "VersionId") if name in entry}
    return {**named, **({"DeleteMarker": True, "DeleteMarkerVersionId": outcome.version} if outcome.marker else {})}


def _not_deleted(entry: dict[str, Any], refusal: AWSError) -> dict[str, Any]:
    code = "AccessDenied" if isinstance(refusal, AccessDenied) else refusal.code
    return {"Key": entry["Key"], "VersionId": entry.get("VersionId"), "Code": code, "Message": refusal.message}


@SERVICE.operation("CopyObject")
def copy_object(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    bucket = require_bucket(context.objects, params)
    check_key(params["Key"])
    source = require_source(context, params)
    key = key_for(source, params, of="CopySource")
    _check_worth_it(source, bucket, params)
    if source.size > MAX_COPY_BYTES:
        what = (
            f"The specified copy source is larger than the maximum allowable size for a copy source: {MAX_COPY_BYTES}"
        )
        raise invalid_request(what)
    attributes = _copied_attributes(source, from_request(context, bucket, params), params)
    opened, made = key or opened_object(context, source), made_for(context, bucket)
    keys = Keys(opened, asked_key(params) or made)
    info = context.objects.copy(
        source,
        bucket.name,
        params["Key"],
        attributes,
        algorithm=asked_algorithm(params),
        guard=write_guard(params["Key"], params),
        keys=keys,
    )
    kept = info.attributes
    result = {"ETag": quoted(info.etag), "LastModified": info.modified, **_all_checksums(kept)}
    said = {**version_of(bucket, info), **source_version(source), **expiration(bucket, info)}
    return {"CopyObjectResult": result, **said, **new_encryption(kept, params)}


def source_version(source: ObjectInfo) -> dict[str, str]:
    """`CopySourceVersionId` of an answer."""
    return {} if source.version == NULL_VERSION else {"CopySourceVersionId": source.version}


def require_source(context: Context, params: Mapping[str, Any]) -> ObjectInfo:
    """The object that a copy is made of. Raises NoSuchBucket, NoSuchKey, NoSuchVersion, PreconditionFailed,
    Archived, and InvalidRequest for a delete marker."""
    source = CopySource.parse(params["CopySource"])
    owned_bucket(context.objects, source.bucket, params.get("ExpectedSourceBucketOwner"))
    named = {"Bucket": source.bucket, "Key": source.key, "VersionId": source.version}
    try:
        info = require_object(context.objects, named)
    except AWSError as error:
        if error.code != "MethodNotAllowed":
            raise
        what = "The source of a copy request may not specifically refer to a delete marker by version id."
        raise invalid_request(what) from None
    check_source_active(info)
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
        headers = without_encryption(of_source.headers)
        chosen = replace(asked, content_type=of_source.content_type, headers=headers, metadata=of_source.metadata)
    replaced = _replaces("tagging", params.get("TaggingDirective"))
    return replace(chosen, tags=from_header(params.get("Tagging", "")) if replaced else of_source.tags)


def _replaces(what: str, directive: str | None) -> bool:
    """Raises InvalidArgument for a directive that is neither COPY nor REPLACE."""
    if directive not in (None, "COPY", "REPLACE"):
        raise invalid_argument(f"Unknown {what} directive.", f"x-amz-{what}-directive", str(directive))
    return directive == "REPLACE"


_CHANGES = (
    "StorageClass",
    "ServerSideEncryption",
    "SSECustomerAlgorithm",
    "CopySourceSSECustomerAlgorithm",
    "WebsiteRedirectLocation",
    "ChecksumAlgorithm",
)


def _check_worth_it(source: ObjectInfo, bucket: Bucket, params: dict[str, Any]) -> None:
    """Raises InvalidRequest for a copy of an object to itself that changes nothing; an older version may be made the
    current one by a copy, and what is encrypted, or is to be in its bucket, be encrypted anew."""
    same = (source.bucket, source.key) == (params["Bucket"], params["Key"])
    if CopySource.parse(params["CopySource"]).version not in {None, NULL_VERSION}:
        return
    if SETTING in bucket.settings or source.attributes.wrapped:
        return
    replaces = "REPLACE" in (params.get("MetadataDirective"), params.get("TaggingDirective"))
    if same and not replaces and not any(params.get(name) for name in _CHANGES):
        raise invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes."
        )
