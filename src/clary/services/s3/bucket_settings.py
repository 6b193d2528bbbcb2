"""Subresources of buckets. Those that are kept say what was put; for all others the truth is that there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.services.context import Context, EdgeContext
from clary.services.s3.errors import not_configured
from clary.services.s3.owners import owner
from clary.services.s3.service import SERVICE
from clary.services.s3.tag_rules import BUCKET_TAGS, as_set, from_set
from clary.services.s3.targets import require_bucket

_ABSENT = {
    "GetBucketCors": ("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    "GetBucketPolicy": ("NoSuchBucketPolicy", "The bucket policy does not exist"),
    "GetBucketPolicyStatus": ("NoSuchBucketPolicy", "The bucket policy does not exist"),
    "GetBucketReplication": (
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
    ),
    "GetBucketWebsite": (
        "NoSuchWebsiteConfiguration",
        "The specified bucket does not have a website configuration",
    ),
}
"""Reads of what no bucket has: the error that says so."""

_EMPTY: Mapping[str, Mapping[str, Any]] = {
    "GetBucketAccelerateConfiguration": {},
    "GetBucketLogging": {},
    "GetBucketNotificationConfiguration": {},
    "GetBucketRequestPayment": {"Payer": "BucketOwner"},
}
"""Reads of what every bucket has in its first state."""

_DEFAULT_PUBLIC_ACCESS = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
_DEFAULT_OWNERSHIP = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def _offer_absent(operation: str, code: str, message: str) -> None:
    @SERVICE.operation(operation, place="edge", effect="keeps state")
    def get(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
        raise not_configured(code, message, require_bucket(context.objects, params).name)


def _offer_first_state(operation: str, output: Mapping[str, Any]) -> None:
    @SERVICE.operation(operation, place="edge", effect="keeps state")
    def get(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
        require_bucket(context.objects, params)
        return dict(output)


for _name, (_code, _message) in _ABSENT.items():
    _offer_absent(_name, _code, _message)
for _name, _output in _EMPTY.items():
    _offer_first_state(_name, _output)


@SERVICE.operation("GetBucketAcl", place="edge", effect="keeps state")
def get_bucket_acl(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """ACLs are disabled: the owner has full control, and nobody else anything."""
    return owner_only(require_bucket(context.objects, params).account)


def owner_only(account: str) -> dict[str, Any]:
    """The ACL of every bucket and object."""
    grantee = {**owner(account), "Type": "CanonicalUser"}
    return {"Owner": owner(account), "Grants": [{"Grantee": grantee, "Permission": "FULL_CONTROL"}]}


@SERVICE.operation("PutBucketTagging", effect="keeps state")
def put_bucket_tagging(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    bucket = require_bucket(context.objects, params)
    context.objects.set_bucket(bucket.name, "Tagging", from_set(params["Tagging"], most=BUCKET_TAGS) or None)
    return {}


@SERVICE.operation("GetBucketTagging", place="edge", effect="keeps state")
def get_bucket_tagging(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    bucket = require_bucket(context.objects, params)
    if "Tagging" not in bucket.settings:
        raise not_configured("NoSuchTagSet", "The TagSet does not exist", bucket.name)
    return {"TagSet": as_set(bucket.settings["Tagging"])}


@SERVICE.operation("DeleteBucketTagging", effect="keeps state")
def delete_bucket_tagging(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    context.objects.set_bucket(require_bucket(context.objects, params).name, "Tagging", None)
    return {}


@SERVICE.operation("GetBucketOwnershipControls", place="edge", effect="keeps state")
def get_bucket_ownership_controls(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    bucket = require_bucket(context.objects, params)
    return {"OwnershipControls": bucket.settings.get("OwnershipControls", _DEFAULT_OWNERSHIP)}


@SERVICE.operation("GetPublicAccessBlock", place="edge", effect="keeps state")
def get_public_access_block(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """There is no public access here: what a bucket begins with, unless something else was put."""
    bucket = require_bucket(context.objects, params)
    return {"PublicAccessBlockConfiguration": bucket.settings.get("PublicAccessBlock", _DEFAULT_PUBLIC_ACCESS)}


@SERVICE.operation("PutPublicAccessBlock", effect="keeps state")
def put_public_access_block(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    bucket = require_bucket(context.objects, params)
    asked = {**dict.fromkeys(_DEFAULT_PUBLIC_ACCESS, False), **params["PublicAccessBlockConfiguration"]}
    context.objects.set_bucket(bucket.name, "PublicAccessBlock", asked)
    return {}
