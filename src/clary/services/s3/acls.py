"""Reading and writing ACLs of buckets and objects
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html)."""

from __future__ import annotations

from typing import Any

from clary.errors import AWSError
from clary.identity.principals import canonical_user
from clary.objects.model import Bucket, ObjectInfo
from clary.services.context import Context, EdgeContext
from clary.services.s3 import acl
from clary.services.s3.acl_of_writes import not_supported
from clary.services.s3.ownership import acls_count
from clary.services.s3.public_access import refuse_public
from clary.services.s3.service import SERVICE
from clary.services.s3.targets import located, located_or_marked, require_bucket


@SERVICE.operation("GetBucketAcl", place="edge")
def get_bucket_acl(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """Where ACLs do not count the owner has full control, and nobody else anything."""
    bucket = require_bucket(context.objects, params)
    return acl.of_bucket(bucket) if acls_count(bucket) else acl.private(bucket.account)


@SERVICE.operation("PutBucketAcl")
def put_bucket_acl(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Raises AccessControlListNotSupported, MissingSecurityHeader, MalformedACLError, AccessDenied, …"""
    bucket = require_bucket(context.objects, params)
    asked = _asked(context, bucket, params, acl.of_bucket(bucket)["Owner"]["ID"])
    _check(context, bucket, params, asked)
    context.objects.set_bucket(bucket.name, acl.SETTING, asked)
    return {}


@SERVICE.operation("GetObjectAcl", place="edge")
def get_object_acl(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """The object's own, where ACLs count."""
    bucket, info = located(context.objects, params)
    return _of_object(bucket, info) if acls_count(bucket) else acl.private(bucket.account)


@SERVICE.operation("PutObjectAcl")
def put_object_acl(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Raises as PutBucketAcl, and NoSuchKey."""
    bucket, info = located_or_marked(context.objects, params, "PUT")
    asked = _asked(context, bucket, params, _of_object(bucket, info)["Owner"]["ID"])
    _check(context, bucket, params, asked)
    context.objects.set_acl(info.bucket, info.key, asked, params.get("VersionId"))
    return {}


def _of_object(bucket: Bucket, info: ObjectInfo) -> acl.Acl:
    return dict(info.attributes.acl) or acl.private(bucket.account)


def _asked(context: Context, bucket: Bucket, params: dict[str, Any], owner: str) -> acl.Acl:
    """By the body, or by headers; whose it is does not change."""
    document = params.get("AccessControlPolicy")
    if document is not None and acl.by_headers(params):
        raise AWSError("UnexpectedContent", "This request does not support content")
    if document is not None:
        return acl.given(document, owner)
    if not acl.by_headers(params):
        what = "Your request was missing a required header"
        raise AWSError("MissingSecurityHeader", what, members={"MissingHeaderName": "x-amz-acl"})
    account = bucket.account if owner == canonical_user(bucket.account) else context.account
    return {**acl.asked(params, account, bucket.account), "Owner": {"ID": owner}}


def _check(context: Context, bucket: Bucket, params: dict[str, Any], asked: acl.Acl) -> None:
    if not acls_count(bucket):
        if acl.owner_only(asked, bucket.account):
            return
        raise not_supported()
    if acl.is_public(asked):
        action = "s3:PutObjectAcl" if "Key" in params else "s3:PutBucketAcl"
        refuse_public(context.objects, bucket, "BlockPublicAcls", context.call.principal, action, params.get("Key", ""))
