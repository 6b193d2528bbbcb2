"""Listing multipart uploads and their parts
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from clary.objects.model import Upload
from clary.objects.uploads import may_be_id
from clary.services.context import EdgeContext
from clary.services.s3.errors import invalid_argument
from clary.services.s3.expiring import abortion_of
from clary.services.s3.listing import Encoder, max_entries
from clary.services.s3.multipart import shown_part
from clary.services.s3.owners import owner
from clary.services.s3.service import SERVICE
from clary.services.s3.targets import require_bucket

_LAST_ID = "~"  # behind every upload's id: a marker without one leaves the whole key behind


@SERVICE.operation("ListParts", place="edge")
def list_parts(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    bucket = require_bucket(context.objects, params)
    uploads = context.objects.uploads
    upload = uploads.find(bucket.name, params["Key"], params["UploadId"])
    marker, limit = params.get("PartNumberMarker", 0), max_entries(params, "MaxParts")
    parts = uploads.parts(upload.id, after=marker, limit=limit + 1)
    page = parts[:limit]
    shown = {"ChecksumAlgorithm": upload.algorithm, "ChecksumType": upload.attributes.checksum_type}
    return {
        "Bucket": bucket.name,
        "Key": upload.key,
        "UploadId": upload.id,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": page[-1].number if page else 0,
        "MaxParts": limit,
        "IsTruncated": bool(page) and len(parts) > limit,
        "Parts": [shown_part(upload, part) for part in page],
        "Initiator": dict(upload.principal),
        "Owner": owner(bucket.account),
        "StorageClass": upload.attributes.storage_class,
        **(shown if upload.declared else {}),
        **abortion_of(bucket, upload),
    }


@SERVICE.operation("ListMultipartUploads", place="edge")
def list_multipart_uploads(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """Uploads in order of key and time; with a delimiter those below a common prefix are one entry."""
    bucket = require_bucket(context.objects, params)
    encode, limit = Encoder(params), max_entries(params, "MaxUploads")
    upload_marker = _upload_marker(context, params)
    entries = _entries(context, params, upload_marker)
    page = list(islice(entries, limit))
    truncated = bool(page) and next(entries, None) is not None
    last = page[-1] if page else None
    uploads = [entry for entry in page if isinstance(entry, Upload)]
    return {
        "Bucket": bucket.name,
        "KeyMarker": encode(params.get("KeyMarker", "")),
        "UploadIdMarker": upload_marker,
        "NextKeyMarker": encode(last.key if isinstance(last, Upload) else last if last and truncated else ""),
        "NextUploadIdMarker": last.id if isinstance(last, Upload) else "",
        "Prefix": encode.optional(params.get("Prefix")),
        "Delimiter": encode.optional(params.get("Delimiter")),
        "MaxUploads": limit,
        "IsTruncated": truncated,
        "EncodingType": encode.kind,
        "Uploads": [_shown(upload, encode, bucket.account) for upload in uploads],
        "CommonPrefixes": [{"Prefix": encode(entry)} for entry in page if isinstance(entry, str)],
    }


def _upload_marker(context: EdgeContext, params: dict[str, Any]) -> str:
    """Where a list goes on within a key; without a key it says nothing. One that was completed or aborted meanwhile is
    as good as one that is there. Raises InvalidArgument for another key's, and for what no upload has had."""
    key: str = params.get("KeyMarker", "")
    marker: str = params.get("UploadIdMarker", "")
    if not key or not marker:
        return ""
    found = context.objects.uploads.begun(marker)
    foreign = found is not None and (found.bucket, found.key) != (params["Bucket"], key)
    if foreign or not may_be_id(marker):
        raise invalid_argument("Invalid uploadId marker", "upload-id-marker", marker)
    return marker


def _entries(context: EdgeContext, params: dict[str, Any], upload_marker: str) -> Iterator[Upload | str]:
    """Uploads and common prefixes behind the markers, in order."""
    prefix, delimiter = params.get("Prefix", ""), params.get("Delimiter", "")
    marker = params.get("KeyMarker", "")
    after = (marker, upload_marker or _LAST_ID) if marker else None
    before = ""
    for upload in context.objects.uploads.list(params["Bucket"], prefix, after):
        end = upload.key.find(delimiter, len(prefix)) if delimiter else -1
        group = upload.key[: end + len(delimiter)] if end >= 0 else ""
        if not group:
            yield upload
        elif group != before and not marker.startswith(group):
            yield group
        before = group


def _shown(upload: Upload, encode: Encoder, account: str) -> dict[str, Any]:
    kind = {"ChecksumAlgorithm": upload.algorithm, "ChecksumType": upload.attributes.checksum_type}
    return {
        "UploadId": upload.id,
        "Key": encode(upload.key),
        "Initiated": upload.initiated,
        "StorageClass": upload.attributes.storage_class,
        "Owner": owner(account),
        "Initiator": dict(upload.principal),
        **(kind if upload.declared else {}),
    }
