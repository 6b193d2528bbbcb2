"""Multipart uploads (https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from clary.errors import AWSError
from clary.objects.body import receive
from clary.objects.checksums import COMBINABLE, DEFAULT_ALGORITHM
from clary.objects.completion import ChosenPart, Completion
from clary.objects.envelopes import enveloped
from clary.objects.errors import NoSuchKey, NoSuchUpload
from clary.objects.model import ChecksumType, ObjectInfo, Part, Received, Upload
from clary.objects.sealing import mark_of
from clary.objects.uploads import new_upload_id
from clary.services.context import Context
from clary.services.s3.attributes import (
    asked_algorithm,
    asked_checksums,
    checksums,
    from_request,
    quoted,
)
from clary.services.s3.conditions import completion_guard
from clary.services.s3.data_keys import made_for, opened, opened_object
from clary.services.s3.encryption import asked_key, encryption, key_for, new_encryption, part_key
from clary.services.s3.errors import invalid_argument, invalid_request
from clary.services.s3.expiring import abortion_of, expiration
from clary.services.s3.objects import made_version, received_body, require_source, source_version
from clary.services.s3.ranges import copy_span
from clary.services.s3.service import SERVICE
from clary.services.s3.targets import check_key, require_bucket

MAX_PARTS = 10_000
_TYPES = ("COMPOSITE", "FULL_OBJECT")


@SERVICE.operation("CreateMultipartUpload")
def create_multipart_upload(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    bucket, key = require_bucket(context.objects, params), params["Key"]
    check_key(key)
    declared, sealed = asked_algorithm(params), asked_key(params)
    data_key = made_for(context, bucket)
    algorithm = declared or DEFAULT_ALGORITHM
    described = from_request(context, bucket, params)
    kind = _checksum_type(algorithm, params.get("ChecksumType"), declared=declared is not None)
    under = data_key.plain if data_key else sealed
    attributes = replace(described, checksum_type=kind, sealed=mark_of(under) if under else "")
    attributes = enveloped(attributes, data_key.envelope if data_key else None)
    upload = Upload(
        id=new_upload_id(),
        bucket=bucket.name,
        key=key,
        initiated=datetime.now(UTC),
        principal={"ID": context.call.principal.arn},
        attributes=attributes,
        algorithm=algorithm,
        declared=declared is not None,
    )
    context.objects.uploads.create(upload)
    shown = {"ChecksumAlgorithm": declared, "ChecksumType": attributes.checksum_type} if declared else {}
    named = {"Bucket": bucket.name, "Key": key, "UploadId": upload.id}
    return {**named, **shown, **abortion_of(bucket, upload), **new_encryption(attributes, params)}


def _checksum_type(algorithm: str, asked: str | None, *, declared: bool) -> ChecksumType:
    """Raises InvalidRequest where the algorithm cannot be of that type."""
    if asked is not None and asked not in _TYPES:
        raise invalid_request("Value for x-amz-checksum-type header is invalid.")
    if asked is not None and not declared:
        what = "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
        raise invalid_request(what)
    possible: tuple[ChecksumType, ...] = ("COMPOSITE", "FULL_OBJECT") if algorithm in COMBINABLE else ("COMPOSITE",)
    if algorithm == DEFAULT_ALGORITHM:
        possible = ("FULL_OBJECT",)
    if asked is None:
        return possible[0]
    for kind in possible:
        if kind == asked:
            return kind
    what = f"The {asked} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
    raise invalid_request(what)


@SERVICE.operation("UploadPart")
def upload_part(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    body = received_body(context, params)
    try:
        require_bucket(context.objects, params)
        number = _part_number(params)
        upload = _upload(context, params)
        part_key(upload, params)
        _check_envelope(upload, body)
    except AWSError:
        context.objects.files.remove(body["file"])
        raise
    part = context.objects.uploads.put_part(params["Bucket"], params["Key"], params["UploadId"], number, body)
    algorithm = body["algorithm"]
    said = checksums({algorithm: part.checksums[algorithm]})
    return {"ETag": quoted(part.etag), **said, **encryption(upload.attributes, params)}


def _check_envelope(upload: Upload, body: Received) -> None:
    """A body that came in under another key, or under none, cannot be read with the others. Raises NoSuchUpload."""
    envelope = body.get("envelope")
    if upload.attributes.wrapped != (envelope["wrapped"] if envelope else ""):
        raise NoSuchUpload(upload.id)


def _upload(context: Context, params: dict[str, Any]) -> Upload:
    """Raises NoSuchUpload."""
    return context.objects.uploads.find(params["Bucket"], params["Key"], params["UploadId"])


@SERVICE.operation("UploadPartCopy")
def upload_part_copy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    bucket = require_bucket(context.objects, params)
    number = _part_number(params)
    upload = _upload(context, params)
    key, source = part_key(upload, params), require_source(context, params)
    sealed = key_for(source, params, of="CopySource") or opened_object(context, source)
    under = key or opened(context, bucket, upload.key, upload.attributes)
    wanted = params.get("CopySourceRange")
    start, end = copy_span(wanted, source.size) if wanted else (0, source.size)
    pieces = context.objects.unsealed(source, sealed, start, end - start)
    try:
        body = receive(context.objects.files, pieces, upload.algorithm, under)
    except FileNotFoundError as reason:
        raise NoSuchKey(source.key) from reason
    part = context.objects.uploads.put_part(upload.bucket, upload.key, upload.id, number, body)
    result = {"ETag": quoted(part.etag), "LastModified": part.modified, **_declared(upload, part)}
    return {"CopyPartResult": result, **source_version(source), **encryption(upload.attributes, params)}


def _part_number(params: dict[str, Any]) -> int:
    number: int = params["PartNumber"]
    if not 1 <= number <= MAX_PARTS:
        what = f"Part number must be an integer between 1 and {MAX_PARTS}, inclusive"
        raise invalid_argument(what, "partNumber", str(number))
    return number


@SERVICE.operation("CompleteMultipartUpload")
def complete_multipart_upload(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Done again, by a client that has lost the answer, it answers the same."""
    bucket, key = require_bucket(context.objects, params), params["Key"]
    if "MultipartUpload" not in params:
        _upload(context, params)
        raise invalid_request("You must specify at least one part")
    chosen = (params["MultipartUpload"] or {}).get("Parts") or []
    asked = Completion(
        parts=[_chosen(part) for part in chosen],
        checksums=asked_checksums(params),
        size=params.get("MpuObjectSize"),
        checksum_type=params.get("ChecksumType"),
    )
    guard = completion_guard(key, params)
    info = context.objects.uploads.complete(bucket.name, key, params["UploadId"], asked, guard)
    return {
        "Location": f"{context.settings.endpoint_url}/{bucket.name}/{quote(key, safe='/', errors='surrogatepass')}",
        "Bucket": bucket.name,
        "Key": key,
        "ETag": quoted(info.etag),
        **made_version(info),
        **expiration(bucket, info),
        **({} if info.attributes.sealed else _whole(info)),
        **encryption(info.attributes, params),
    }


def _whole(info: ObjectInfo) -> dict[str, Any]:
    """Said of the whole; of one under a customer's key or KMS's only to who reads it, as on AWS."""
    return checksums(info.attributes.checksums, info.attributes.checksum_type)


def _chosen(part: dict[str, Any]) -> ChosenPart:
    return ChosenPart(part.get("PartNumber", 0), part.get("ETag", "").strip('"'), asked_checksums(part))


@SERVICE.operation("AbortMultipartUpload")
def abort_multipart_upload(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    require_bucket(context.objects, params)
    context.objects.uploads.abort(params["Bucket"], params["Key"], params["UploadId"])
    return {}


def _declared(upload: Upload, part: Part) -> dict[str, Any]:
    """The part's checksum, where the client chose the algorithm."""
    if not upload.declared or upload.algorithm not in part.checksums:
        return {}
    return checksums({upload.algorithm: part.checksums[upload.algorithm]})


def shown_part(upload: Upload, part: Part) -> dict[str, Any]:
    """A part as ListParts shows it."""
    return {
        "PartNumber": part.number,
        "LastModified": part.modified,
        "ETag": quoted(part.etag),
        "Size": part.size,
        **_declared(upload, part),
    }
