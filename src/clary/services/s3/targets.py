"""The bucket and the key that a request names, checked once for all operations."""

from __future__ import annotations

from typing import Any

from clary.calls import Access
from clary.errors import AWSError
from clary.objects.errors import NoSuchBucket
from clary.objects.model import Bucket, ObjectInfo, encode_key
from clary.objects.reader import ObjectReader
from clary.services.context import EdgeContext
from clary.services.s3 import public
from clary.services.s3.errors import access_denied, key_too_long, no_such_key, no_such_version, not_implemented

MAX_KEY_BYTES = 1024
HIDDEN = "/"
"""In the names of buckets that other services keep in the same store (the layers of images): S3 knows none of them."""

NULL_VERSION = "null"
"""The version id of objects in a bucket that keeps no versions."""

_NOT_HONOURED = (
    ("SSECustomerAlgorithm", "x-amz-server-side-encryption-customer-algorithm"),
    ("CopySourceSSECustomerAlgorithm", "x-amz-copy-source-server-side-encryption-customer-algorithm"),
    ("WriteOffsetBytes", "x-amz-write-offset-bytes"),
    ("ObjectLockMode", "x-amz-object-lock-mode"),
    ("ObjectLockLegalHoldStatus", "x-amz-object-lock-legal-hold"),
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
    """The bucket, if `owner` (an account; None: anyone) has it. Raises NoSuchBucket, AccessDenied."""
    if HIDDEN in name:
        raise NoSuchBucket(name)
    bucket = objects.bucket(name)
    if owner is not None and owner != bucket.account:
        raise access_denied()
    return bucket


def require_object(objects: ObjectReader, params: dict[str, Any]) -> ObjectInfo:
    """The object that the request names. Raises also NoSuchKey, NoSuchVersion."""
    require_bucket(objects, params)
    key = params["Key"]
    check_version(key, params.get("VersionId"))
    found = objects.head(params["Bucket"], key)
    if found is None:
        raise no_such_key(key)
    return found


def require_visible(context: EdgeContext, params: dict[str, Any]) -> ObjectInfo:
    """The object that the request names. That it is not there learns only who may list the bucket: others are refused
    with AccessDenied."""
    try:
        return require_object(context.objects, params)
    except AWSError as error:
        if error.code == "NoSuchKey":
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


def check_version(key: str, version: str | None) -> None:
    """Raises NoSuchVersion for any version but the one that unversioned objects have."""
    if version is not None and version != NULL_VERSION:
        raise no_such_version(key, version)
