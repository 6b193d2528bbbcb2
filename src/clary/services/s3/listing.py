"""Listing objects (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html)."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import quote

from clary.objects.listing import Listing
from clary.objects.model import Bucket, ObjectInfo
from clary.services.context import EdgeContext
from clary.services.s3.attributes import quoted
from clary.services.s3.errors import invalid_argument
from clary.services.s3.owners import owner
from clary.services.s3.service import SERVICE
from clary.services.s3.targets import NULL_VERSION, require_bucket

MOST = 1000
"""Entries of one page."""


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
    with_owner = bool(params.get("FetchOwner"))
    return {
        **output,
        "Contents": [_content(bucket, info, encode, with_owner) for info in page.objects],
        "KeyCount": len(page.objects) + len(page.prefixes),
        "ContinuationToken": token,
        "NextContinuationToken": write_token(page.last) if page.truncated and page.last else None,
        "StartAfter": encode.optional(params.get("StartAfter")),
    }


@SERVICE.operation("ListObjects", place="edge")
def list_objects(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """NextMarker is there only with a delimiter, as on AWS: without one the last key serves."""
    encode = Encoder(params)
    marker = params.get("Marker", "")
    bucket, output, page = _listed(context, params, encode, marker)
    return {
        **output,
        "Contents": [_content(bucket, info, encode, with_owner=True) for info in page.objects],
        "Marker": encode(marker),
        "NextMarker": encode.optional(page.last) if page.truncated and params.get("Delimiter") else None,
    }


@SERVICE.operation("ListObjectVersions", place="edge")
def list_object_versions(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """Buckets keep no versions: each object has the one that is called `null`."""
    encode = Encoder(params)
    marker = params.get("KeyMarker", "")
    bucket, output, page = _listed(context, params, encode, marker)
    contents = [_content(bucket, info, encode, with_owner=True) for info in page.objects]
    return {
        **output,
        "Versions": [{**content, "VersionId": NULL_VERSION, "IsLatest": True} for content in contents],
        "KeyMarker": encode(marker),
        "VersionIdMarker": params.get("VersionIdMarker", ""),
        "NextKeyMarker": encode.optional(page.last) if page.truncated else None,
        "NextVersionIdMarker": NULL_VERSION if page.truncated else None,
    }


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
    output = {
        "Name": bucket.name,
        "Prefix": encode(prefix),
        "Delimiter": encode.optional(delimiter),
        "MaxKeys": limit,
        "IsTruncated": page.truncated,
        "EncodingType": encode.kind,
        "CommonPrefixes": [{"Prefix": encode(common)} for common in page.prefixes],
    }
    return bucket, output, page


def _content(bucket: Bucket, info: ObjectInfo, encode: Encoder, with_owner: bool) -> dict[str, Any]:
    attributes = info.attributes
    return {
        "Key": encode(info.key),
        "LastModified": info.modified,
        "ETag": quoted(info.etag),
        "ChecksumAlgorithm": list(attributes.checksums),
        "ChecksumType": attributes.checksum_type if attributes.checksums else None,
        "Size": info.size,
        "StorageClass": attributes.storage_class,
        "Owner": (attributes.acl.get("Owner") or owner(bucket.account)) if with_owner else None,
    }


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
    raise invalid_argument("The continuation token provided is incorrect", "continuation-token", token)
