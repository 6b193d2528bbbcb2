"""The bucket and the key that a request names, checked once for all operations."""

from __future__ import annotations

import re
from typing import Any

from clary.calls import Access
from clary.errors import AWSError
from clary.objects.errors import NoSuchBucket, NoSuchKey
from clary.objects.model import NULL_VERSION, Bucket, DeleteMarker, ObjectInfo, encode_key
from clary.objects.reader import ObjectReader
from clary.objects.version_ids import BadVersionId, place_of
from clary.services.context import EdgeContext
from clary.services.s3 import public
from clary.services.s3.errors import (
    access_denied,
    delete_marker_refused,
    invalid_argument,
    key_too_long,
    no_such_key,
    no_such_version,
    not_implemented,
)

MAX_KEY_BYTES = 1024
HIDDEN = "/"
"""In the names of buckets that other services keep in the same store (the layers of images): S3 knows none of them."""

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)

_NOT_HONOURED = (
    ("WriteOffsetBytes", "x-amz-write-offset-bytes"),
    ("IfMatchLastModifiedTime", "x-amz-if-match-last-modified-time"),
    ("IfMatchSize", "x-amz-if-match-size"),
    ("MFA", "x-amz-mfa"),
)
"""Headers that must not be passed over: the client relies on what they ask for."""


def require_bucket(objects: ObjectReader, params: dict[str, Any]) -> Bucket:
    """The bucket that the request names. Raises NoSuchBucket, and AccessDenied where its owner is not the expected one.

    Raises NotImplemented for what would silently not be done.
    """
    refuse_unhonoured(params)
    return owned_bucket(objects, params["Bucket"], params.get("ExpectedBucketOwner"))


def owned_bucket(objects: ObjectReader, name: str, owner: str | None) -> Bucket:
    """The bucket, if `owner` (an account; None: anyone) has it. Raises NoSuchBucket, AccessDenied,
    InvalidBucketOwnerAWSAccountID."""
    if HIDDEN in name:
        raise NoSuchBucket(name)
    bucket = objects.bucket(name)
    if owner is not None and not _ACCOUNT.fullmatch(owner):
        what = f"The value of the expected bucket owner parameter must be an AWS Account ID... [{owner}]"
        raise AWSError("InvalidBucketOwnerAWSAccountID", what)
    if owner is not None and owner != bucket.account:
        raise access_denied()
    return bucket


def require_object(objects: ObjectReader, params: dict[str, Any], method: str = "GET") -> ObjectInfo:
    """The object that the request names, or that version of it. Raises also NoSuchKey, NoSuchVersion, InvalidArgument,
    and MethodNotAllowed for a delete marker that is named; `method` is the request's."""
    return located(objects, params, method)[1]


def located(objects: ObjectReader, params: dict[str, Any], method: str = "GET") -> tuple[Bucket, ObjectInfo]:
    """The bucket and the object; as `require_object`."""
    bucket, key = require_bucket(objects, params), params["Key"]
    version = known_version(params.get("VersionId"))
    found = objects.head(bucket.name, key) if version is None else objects.version(bucket.name, key, version)
    if isinstance(found, ObjectInfo):
        return bucket, found
    if found is not None:
        raise delete_marker_refused(found, method)
    if version is not None:
        raise no_such_version(key, version)
    raise no_such_key(key, _marker(objects, bucket, key))


def located_or_marked(objects: ObjectReader, params: dict[str, Any], method: str) -> tuple[Bucket, ObjectInfo]:
    """As `located`, for operations that find the delete marker also where no version is named."""
    try:
        return located(objects, params, method)
    except NoSuchKey:
        bucket = require_bucket(objects, params)
        marker = _marker(objects, bucket, params["Key"])
        if marker is None:
            raise
        raise delete_marker_refused(marker, method) from None


def _marker(objects: ObjectReader, bucket: Bucket, key: str) -> DeleteMarker | None:
    """What stands in the place of an object that was deleted."""
    newest = objects.newest(bucket.name, key) if bucket.versioning else None
    return newest if isinstance(newest, DeleteMarker) else None


def require_visible(context: EdgeContext, params: dict[str, Any]) -> tuple[Bucket, ObjectInfo]:
    """The object that the request names, and its bucket. That it is not there learns only who may list the bucket:
    others are refused with AccessDenied."""
    try:
        return located(context.objects, params)
    except AWSError as error:
        if error.code in {"NoSuchKey", "NoSuchVersion"}:
            for access in public.without([Access("s3:ListBucket", f"arn:aws:s3:::{params['Bucket']}")]):
                context.authorise(access)
        raise


def refuse_unhonoured(params: dict[str, Any]) -> None:
    """Raises NotImplemented."""
    for member, header in _NOT_HONOURED:
        if params.get(member) is not None:
            raise not_implemented(header)


def check_key(key: str) -> None:
    """Raises KeyTooLongError."""
    size = len(encode_key(key))
    if size > MAX_KEY_BYTES:
        raise key_too_long(size, MAX_KEY_BYTES)


def known_version(version: str | None, argument: str = "versionId") -> str | None:
    """A version id that the request names, if it may be one. Raises InvalidArgument."""
    if version is None or version == NULL_VERSION:
        return version
    if not version:
        raise invalid_argument("Version id cannot be the empty string", argument, version)
    try:
        place_of(version)
    except BadVersionId:
        raise invalid_argument("Invalid version id specified", argument, version) from None
    return version


def version_of(bucket: Bucket, info: ObjectInfo) -> dict[str, str]:
    """`VersionId` of an answer, where the bucket keeps versions or has kept them."""
    return {"VersionId": info.version} if bucket.versioning else {}
