"""Listing objects (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html)."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import quote

from clary.objects.listing import Listing
from clary.objects.model import NULL_VERSION, Bucket, DeleteMarker, ObjectInfo, Version
from clary.objects.version_ids import place_of
from clary.objects.version_listing import After, Listed, VersionListing
from clary.services.context import EdgeContext
from clary.services.s3.attributes import quoted
from clary.services.s3.errors import invalid_argument
from clary.services.s3.owners import owner
from clary.services.s3.service import SERVICE
from clary.services.s3.storage_classes import restore_status
from clary.services.s3.targets import known_version, require_bucket
from clary.wire.rest_xml import HEADERS

MOST = 1000
"""Entries of one page."""

_BEFORE_ALL = 2**62
"""The null version that a page ended with has gone meanwhile, and nobody knows where it stood: none is left out."""


class Encoder:
    """Writes keys as the request wants them: as they are, or percent-encoded (`EncodingType=url`)."""

    def __init__(self, params: dict[str, Any]) -> None:
        """Raises InvalidArgument."""
        self.kind = params.get("EncodingType")
        if self.kind not in (None, "url"):
            raise invalid_argument("Invalid Encoding Method specified in Request", "encoding-type", self.kind)

    def __call__(self, text: str) -> str:
        return quote(text, safe="/", errors="surrogatepass") if self.kind else text

    def optional(self, text: str | None) -> str | None:
        """None stays None, and so does the empty text: it is not in the answer."""
        return self(text) if text else None


@SERVICE.operation("ListObjectsV2", place="edge")
def list_objects_v2(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    encode = Encoder(params)
    token = params.get("ContinuationToken")
    after = params.get("StartAfter") if token is None else read_token(token)
    bucket, output, page = _listed(context, params, encode, after)
    shown = Entries(bucket, params, encode, with_owner=bool(params.get("FetchOwner")))
    return {
        **output,
        "Contents": [shown(info) for info in page.objects],
        "KeyCount": len(page.objects) + len(page.prefixes),
        "ContinuationToken": token,
        "NextContinuationToken": write_token(page.last) if page.truncated and page.last else None,
        "StartAfter": encode.optional(params.get("StartAfter")) if token is None else None,
    }


@SERVICE.operation("ListObjects", place="edge")
def list_objects(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """NextMarker is there only with a delimiter, as on AWS: without one the last key serves."""
    encode = Encoder(params)
    marker = params.get("Marker", "")
    bucket, output, page = _listed(context, params, encode, marker)
    shown = Entries(bucket, params, encode, with_owner=True)
    return {
        **output,
        "Contents": [shown(info) for info in page.objects],
        "Marker": encode(marker),
        "NextMarker": encode.optional(page.last) if page.truncated and params.get("Delimiter") else None,
    }


@SERVICE.operation("ListObjectVersions", place="edge")
def list_object_versions(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """Where the bucket keeps none, each object has the one version that is called `null`."""
    encode, bucket = Encoder(params), require_bucket(context.objects, params)
    prefix, delimiter = params.get("Prefix", ""), params.get("Delimiter", "")
    limit, after = max_entries(params, "MaxKeys"), _after(context, bucket, params)
    page = context.objects.version_page(bucket.name, prefix=prefix, delimiter=delimiter, after=after, limit=limit)
    shown = Entries(bucket, params, encode, with_owner=True)
    listed = [(entry, shown.version(entry)) for entry in page.versions]
    return {
        **_page(bucket, params, encode, limit, page),
        "Versions": [said for entry, said in listed if isinstance(entry.version, ObjectInfo)],
        "DeleteMarkers": [said for entry, said in listed if isinstance(entry.version, DeleteMarker)],
        "KeyMarker": encode(params.get("KeyMarker", "")),
        "VersionIdMarker": params.get("VersionIdMarker", ""),
        **(_next(page.last, encode) if page.truncated else {}),
    }


def _next(last: Version | str | None, encode: Encoder) -> dict[str, Any]:
    """Where the next page of versions begins."""
    if last is None or isinstance(last, str):
        return {"NextKeyMarker": encode.optional(last)}
    return {"NextKeyMarker": encode(last.key), "NextVersionIdMarker": last.version}


def _after(context: EdgeContext, bucket: Bucket, params: dict[str, Any]) -> After | None:
    """Raises InvalidArgument."""
    key, version = params.get("KeyMarker"), params.get("VersionIdMarker")
    if version and not key:
        what = "A version-id marker cannot be specified without a key marker."
        raise invalid_argument(what, "version-id-marker", version)
    if not key or not version:
        return After(key) if key else None
    if known_version(version, "version-id-marker") != NULL_VERSION:
        return After(key, place_of(version))
    null = context.objects.version(bucket.name, key, NULL_VERSION)
    return After(key, _BEFORE_ALL if null is None else null.place)


def max_entries(params: dict[str, Any], member: str) -> int:
    """How many entries are asked for, at most 1,000. Raises InvalidArgument."""
    name = member[0].lower() + member[1:]
    asked: int = params.get(member, MOST)
    if asked < 0:
        what = f"Argument {name} must be an integer between 0 and 2147483647"
        raise invalid_argument(what, name, str(asked))
    return min(asked, MOST)


def _listed(
    context: EdgeContext, params: dict[str, Any], encode: Encoder, after: str | None
) -> tuple[Bucket, dict[str, Any], Listing]:
    """The bucket, what all listings say of the page, and the page."""
    bucket = require_bucket(context.objects, params)
    prefix, delimiter = params.get("Prefix", ""), params.get("Delimiter", "")
    limit = max_entries(params, "MaxKeys")
    page = context.objects.page(bucket.name, prefix=prefix, delimiter=delimiter, after=after or None, limit=limit)
    region = {HEADERS: {"x-amz-bucket-region": bucket.region}}
    return bucket, {**_page(bucket, params, encode, limit, page), **region}, page


def _page(
    bucket: Bucket, params: dict[str, Any], encode: Encoder, limit: int, page: Listing | VersionListing
) -> dict[str, Any]:
    """What all listings say of a page."""
    return {
        "Name": bucket.name,
        "Prefix": encode(params.get("Prefix", "")),
        "Delimiter": encode.optional(params.get("Delimiter")),
        "MaxKeys": limit,
        "IsTruncated": page.truncated,
        "EncodingType": encode.kind,
        "CommonPrefixes": [{"Prefix": encode(common)} for common in page.prefixes],
    }


class Entries:
    """How a listing shows objects and versions."""

    def __init__(self, bucket: Bucket, params: dict[str, Any], encode: Encoder, *, with_owner: bool) -> None:
        self._bucket, self._encode, self._with_owner = bucket, encode, with_owner
        self._with_restore = "RestoreStatus" in params.get("OptionalObjectAttributes", ())

    def __call__(self, info: ObjectInfo) -> dict[str, Any]:
        attributes = info.attributes
        return {
            "Key": self._encode(info.key),
            "LastModified": info.modified,
            "ETag": quoted(info.etag),
            "ChecksumAlgorithm": list(attributes.checksums),
            "ChecksumType": attributes.checksum_type if attributes.checksums else None,
            "Size": info.size,
            "StorageClass": attributes.storage_class,
            "Owner": (attributes.acl.get("Owner") or owner(self._bucket.account)) if self._with_owner else None,
            "RestoreStatus": restore_status(attributes) if self._with_restore else None,
        }

    def version(self, entry: Listed) -> dict[str, Any]:
        """A version, or a delete marker."""
        found, known = entry.version, {"VersionId": entry.version.version, "IsLatest": entry.latest}
        if isinstance(found, ObjectInfo):
            return {**self(found), **known}
        shown = {"Key": self._encode(found.key), "LastModified": found.modified}
        return {**shown, "Owner": owner(self._bucket.account), **known}


def write_token(last: str) -> str:
    """A continuation token: opaque to clients, the last entry to us."""
    return base64.urlsafe_b64encode(b"1" + last.encode("utf-8", "surrogatepass")).decode()


def read_token(token: str) -> str:
    """The inverse of `write_token`. Raises InvalidArgument."""
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
        if raw[:1] == b"1" and len(raw) > 1:
            return raw[1:].decode("utf-8", "surrogatepass")
    except (binascii.Error, ValueError):
        pass
    raise invalid_argument("The continuation token provided is incorrect", "continuation-token", token or None)
