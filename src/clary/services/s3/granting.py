"""To whom ACLs grant what no policy allows, and what policies ask of objects
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#permissions)."""

from __future__ import annotations

from collections.abc import Mapping

from clary.calls import Access, Call
from clary.identity.context import LOOKED_UP
from clary.identity.principals import canonical_user
from clary.identity.resources import Grantee
from clary.objects.errors import NoSuchBucket
from clary.objects.model import Bucket, ObjectInfo
from clary.objects.reader import ObjectReader
from clary.objects.version_ids import BadVersionId
from clary.services.s3 import acl
from clary.services.s3.ownership import acls_count
from clary.services.s3.public_access import effective

_BY_BUCKET: Mapping[str, str] = {
    "s3:ListBucket": "READ",
    "s3:ListBucketVersions": "READ",
    "s3:ListBucketMultipartUploads": "READ",
    "s3:PutObject": "WRITE",
    "s3:DeleteObject": "WRITE",
    "s3:GetBucketAcl": "READ_ACP",
    "s3:PutBucketAcl": "WRITE_ACP",
}
_BY_OBJECT: Mapping[str, str] = {
    "s3:GetObject": "READ",
    "s3:GetObjectVersion": "READ",
    "s3:GetObjectAcl": "READ_ACP",
    "s3:GetObjectVersionAcl": "READ_ACP",
    "s3:PutObjectAcl": "WRITE_ACP",
    "s3:PutObjectVersionAcl": "WRITE_ACP",
}
"""The permission that an action needs of the bucket's list, or of the object's."""

_MAKE = frozenset({"s3:CreateBucket"})
"""Actions on buckets that are not there yet."""

_ARN = "arn:aws:s3:::"


class Granting:
    """Reads lists where they are kept; an `identity.resources.Grants`."""

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects

    def __call__(self, call: Call, access: Access) -> Grantee:
        """Of whom the caller is one, the widest first. Raises NoSuchBucket, which anybody may know."""
        if not access.resource.startswith(_ARN) or access.action in _MAKE:
            return "nobody"
        name, _, key = access.resource.removeprefix(_ARN).partition("/")
        bucket = self._objects.get_bucket(name)
        if bucket is None:
            raise NoSuchBucket(name)
        if not acls_count(bucket):
            return "nobody"
        listed = self._list(bucket, key, access)
        groups = {acl.ALL_USERS} if call.principal.kind == "anonymous" else acl.PUBLIC
        if not effective(self._objects, bucket)["IgnorePublicAcls"] and _to_group(*listed, groups):
            return "everyone"
        own = canonical_user(call.principal.account)
        return "account" if call.principal.kind != "anonymous" and _to_user(*listed, own) else "nobody"

    def _list(self, bucket: Bucket, key: str, access: Access) -> tuple[acl.Acl, str]:
        """The list that counts, and the permission that it must grant."""
        action = access.action
        if action in _BY_BUCKET:
            return acl.of_bucket(bucket), _BY_BUCKET[action]
        found = _object(self._objects, bucket.name, key, access) if key and action in _BY_OBJECT else None
        if found is None:
            return {"Grants": []}, acl.FULL_CONTROL
        return dict(found.attributes.acl) or acl.private(bucket.account), _BY_OBJECT[action]


_TAGGED = frozenset(
    f"s3:{name}"
    for name in (
        "GetObject", "GetObjectVersion", "GetObjectAcl", "GetObjectVersionAcl", "PutObjectAcl", "PutObjectVersionAcl",
        "GetObjectTagging", "GetObjectVersionTagging", "PutObjectTagging", "PutObjectVersionTagging",
        "DeleteObjectTagging", "DeleteObjectVersionTagging",
    )
)  # fmt: skip
"""Actions whose policies may ask for the tags that an object has."""


class ExistingTags:
    """Reads tags of objects; an `identity.context.Facts`."""

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects

    def __call__(self, access: Access) -> Mapping[str, str]:
        """`s3:ExistingObjectTag/…` of the object that a right is on."""
        bucket, slash, key = access.resource.removeprefix(_ARN).partition("/")
        found = _object(self._objects, bucket, key, access) if slash and access.action in _TAGGED else None
        tags = found.attributes.tags if found is not None else {}
        return {f"{LOOKED_UP}{name}".lower(): value for name, value in tags.items()}


def _object(objects: ObjectReader, bucket: str, key: str, access: Access) -> ObjectInfo | None:
    """What the right is on: each version has a list and tags of its own."""
    version = access.context.get("s3:VersionId")
    if version is None:
        return objects.head(bucket, key)
    try:
        found = objects.version(bucket, key, str(version))
    except BadVersionId:
        return None
    return found if isinstance(found, ObjectInfo) else None


def _to_group(listed: acl.Acl, permission: str, groups: frozenset[str] | set[str]) -> bool:
    wanted = {permission, acl.FULL_CONTROL}
    return any(each["Permission"] in wanted and each["Grantee"].get("URI") in groups for each in listed["Grants"])


def _to_user(listed: acl.Acl, permission: str, user: str) -> bool:
    wanted = {permission, acl.FULL_CONTROL}
    return any(each["Permission"] in wanted and each["Grantee"].get("ID") == user for each in listed["Grants"])
