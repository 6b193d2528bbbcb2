"""The rights that S3's operations need
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from clary.calls import Access, Call
from clary.services.s3 import public
from clary.services.s3.acl import by_headers
from clary.services.s3.copy_source import CopySource

_ACTIONS = {
    "ListBuckets": "s3:ListAllMyBuckets",
    "HeadBucket": "s3:ListBucket",
    "ListObjects": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "ListObjectVersions": "s3:ListBucketVersions",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "ListParts": "s3:ListMultipartUploadParts",
    "HeadObject": "s3:GetObject",
    "CopyObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "UploadPartCopy": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "DeleteBucketCors": "s3:PutBucketCORS",
    "DeleteBucketOwnershipControls": "s3:PutBucketOwnershipControls",
    "DeleteBucketTagging": "s3:PutBucketTagging",
    "DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
    "GetBucketAccelerateConfiguration": "s3:GetAccelerateConfiguration",
    "GetBucketCors": "s3:GetBucketCORS",
    "GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "GetBucketReplication": "s3:GetReplicationConfiguration",
    "GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "PutBucketLifecycle": "s3:PutLifecycleConfiguration",
    "GetBucketLifecycle": "s3:GetLifecycleConfiguration",
    "DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "PutObjectLockConfiguration": "s3:PutBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "PutBucketAccelerateConfiguration": "s3:PutAccelerateConfiguration",
    "PutBucketCors": "s3:PutBucketCORS",
    "PutBucketNotificationConfiguration": "s3:PutBucketNotification",
    "PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}
"""Operations whose action has another name than they have."""

_OF_VERSION = {
    "GetObject": "s3:GetObjectVersion",
    "HeadObject": "s3:GetObjectVersion",
    "DeleteObject": "s3:DeleteObjectVersion",
    "GetObjectAttributes": "s3:GetObjectVersionAttributes",
    "GetObjectTagging": "s3:GetObjectVersionTagging",
    "PutObjectTagging": "s3:PutObjectVersionTagging",
    "DeleteObjectTagging": "s3:DeleteObjectVersionTagging",
    "GetObjectAcl": "s3:GetObjectVersionAcl",
    "PutObjectAcl": "s3:PutObjectVersionAcl",
}
"""What they need where they name a version."""

_WRITES = frozenset({"PutObject", "CopyObject", "CreateMultipartUpload"})
_LOCKS = (("ObjectLockMode", "s3:PutObjectRetention"), ("ObjectLockLegalHoldStatus", "s3:PutObjectLegalHold"))

_LOCKED_BUCKET = ("s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning")
"""What a bucket with object lock needs beside the right to make one."""

_CONDITIONS = (
    ("VersionId", "s3:VersionId"),
    ("Prefix", "s3:prefix"),
    ("Delimiter", "s3:delimiter"),
    ("MaxKeys", "s3:max-keys"),
    ("ACL", "s3:x-amz-acl"),
    ("GrantFullControl", "s3:x-amz-grant-full-control"),
    ("GrantRead", "s3:x-amz-grant-read"),
    ("GrantReadACP", "s3:x-amz-grant-read-acp"),
    ("GrantWrite", "s3:x-amz-grant-write"),
    ("GrantWriteACP", "s3:x-amz-grant-write-acp"),
    ("ObjectOwnership", "s3:x-amz-object-ownership"),
    ("VersionId", "s3:VersionId"),
    ("StorageClass", "s3:x-amz-storage-class"),
    ("ServerSideEncryption", "s3:x-amz-server-side-encryption"),
    ("SSEKMSKeyId", "s3:x-amz-server-side-encryption-aws-kms-key-id"),
    ("SSECustomerAlgorithm", "s3:x-amz-server-side-encryption-customer-algorithm"),
    ("CopySource", "s3:x-amz-copy-source"),
    ("MetadataDirective", "s3:x-amz-metadata-directive"),
    ("IfMatch", "s3:if-match"),
    ("IfNoneMatch", "s3:if-none-match"),
)
_WITH_ACL = {
    "CreateBucket": "s3:PutBucketAcl",
    "PutObject": "s3:PutObjectAcl",
    "CopyObject": "s3:PutObjectAcl",
    "CreateMultipartUpload": "s3:PutObjectAcl",
}
"""The right to say in the same request who else may reach what it makes."""

_WITH_TAGS = frozenset({"PutObject", "CopyObject", "CreateMultipartUpload", "PutObjectTagging"})
_LISTS = frozenset({"ListObjects", "ListObjectsV2", "ListObjectVersions", "ListMultipartUploads"})


def access(call: Call) -> Sequence[Access]:
    """The rights on the bucket, or on the object; for a copy also on its source. Of many deletes each is decided when
    its turn comes: one that is not allowed does not keep the others back."""
    return public.without(_needed(call))


def _needed(call: Call) -> Sequence[Access]:
    params, bucket = call.params, call.params.get("Bucket", "")
    action = _action(call)
    context = _conditions(call.operation, params)
    if call.operation == "ListBuckets":
        return [Access(action, "*", context)]
    if call.operation == "DeleteObjects":
        return [deletion(bucket, "*")] if call.principal.kind == "anonymous" else []
    resource = _object(bucket, params["Key"]) if "Key" in params else f"arn:aws:s3:::{bucket}"
    return [Access(action, resource, context), *_more(call, resource, context)]


def _action(call: Call) -> str:
    """Naming a version needs a right of its own."""
    if call.params.get("VersionId") is not None and call.operation in _OF_VERSION:
        return _OF_VERSION[call.operation]
    return _ACTIONS.get(call.operation, f"s3:{call.operation}")


def deletion(bucket: str, key: str, version: str | None = None) -> Access:
    """The right to delete one object, or one version. Raises AccessDenied where nobody has it."""
    action = "s3:DeleteObject" if version is None else "s3:DeleteObjectVersion"
    context = {} if version is None else {"s3:VersionId": version}
    [needed] = public.without([Access(action, _object(bucket, key), context)])
    return needed


def bypass(bucket: str, key: str) -> Access:
    """The right to go around a retention in GOVERNANCE mode. Raises AccessDenied where nobody has it."""
    [needed] = public.without([Access("s3:BypassGovernanceRetention", _object(bucket, key))])
    return needed


def _reading(source: CopySource) -> Access:
    resource = _object(source.bucket, source.key)
    if source.version is None:
        return Access("s3:GetObject", resource)
    return Access("s3:GetObjectVersion", resource, {"s3:VersionId": source.version})


def _more(call: Call, resource: str, context: Mapping[str, str | Sequence[str]]) -> list[Access]:
    """Rights beside the first one."""
    needed = []
    if by_headers(call.params) and call.operation in _WITH_ACL:
        needed.append(Access(_WITH_ACL[call.operation], resource, context))
    if call.operation == "CreateBucket" and call.params.get("ObjectOwnership"):
        needed.append(Access("s3:PutBucketOwnershipControls", resource, context))
    if call.operation == "CreateBucket" and call.params.get("ObjectLockEnabledForBucket"):
        needed += [Access(action, resource, context) for action in _LOCKED_BUCKET]
    if "CopySource" in call.params:
        source = CopySource.parse(call.params["CopySource"])
        needed.append(_reading(source))
    if call.operation == "GetObjectAttributes":
        version = "" if call.params.get("VersionId") is None else "Version"
        needed.append(Access(f"s3:GetObject{version}", resource, context))
    if call.operation in _WRITES:
        asked = (action for member, action in _LOCKS if call.params.get(member) is not None)
        needed += [Access(action, resource, context) for action in asked]
    if call.params.get("Tagging") and call.operation in _WRITES:
        needed.append(Access("s3:PutObjectTagging", resource, context))
    return needed


def _conditions(operation: str, params: Mapping[str, Any]) -> dict[str, str | Sequence[str]]:
    """Condition keys that the request brings; a listing without prefix has the empty one."""
    keys: dict[str, str | Sequence[str]] = {key: str(params[name]) for name, key in _CONDITIONS if name in params}
    keys |= _lock_conditions(params)
    if operation in _LISTS:
        keys.setdefault("s3:prefix", "")
    if operation in _WITH_TAGS and params.get("Tagging"):
        keys |= _tag_conditions(params["Tagging"])
    return keys


def _lock_conditions(params: Mapping[str, Any]) -> dict[str, str]:
    """Of a write's headers, or of what PutObjectRetention and PutObjectLegalHold bring. Days are whole, those left."""
    retention, hold = params.get("Retention") or {}, params.get("LegalHold") or {}
    mode = params.get("ObjectLockMode") or retention.get("Mode")
    held = params.get("ObjectLockLegalHoldStatus") or hold.get("Status")
    until = params.get("ObjectLockRetainUntilDate") or retention.get("RetainUntilDate")
    keys = {"s3:object-lock-mode": mode, "s3:object-lock-legal-hold": held}
    if until is not None:
        moment = until if until.tzinfo else until.replace(tzinfo=UTC)
        keys["s3:object-lock-retain-until-date"] = moment.isoformat()
        keys["s3:object-lock-remaining-retention-days"] = str((moment - datetime.now(UTC)).days)
    return {key: value for key, value in keys.items() if value}


def _tag_conditions(tagging: str | Mapping[str, Any]) -> dict[str, str | Sequence[str]]:
    """Of a header `key=value&…`, or of a document."""
    listed = [] if isinstance(tagging, str) else tagging.get("TagSet") or []
    pairs = parse_qsl(tagging, keep_blank_values=True) if isinstance(tagging, str) else []
    tags = dict(pairs) | {tag.get("Key", ""): tag.get("Value", "") for tag in listed}
    return {**{f"s3:RequestObjectTag/{key}": value for key, value in tags.items()}, "s3:RequestObjectTagKeys": [*tags]}


def _object(bucket: str, key: str) -> str:
    return f"arn:aws:s3:::{bucket}/{key}"
