"""Ownership controls of buckets
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html)."""

from __future__ import annotations

from typing import Any

from clary.errors import AWSError
from clary.services.context import Context, EdgeContext
from clary.services.s3 import acl
from clary.services.s3.errors import malformed_xml, not_configured
from clary.services.s3.ownership import ENFORCED, OWNERSHIPS, SETTING
from clary.services.s3.publication import publish
from clary.services.s3.service import SERVICE
from clary.services.s3.targets import require_bucket

_DEFAULT = {"Rules": [{"ObjectOwnership": ENFORCED}]}


@SERVICE.operation("PutBucketOwnershipControls")
def put_bucket_ownership_controls(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Raises MalformedXML, InvalidBucketAclWithObjectOwnership."""
    bucket = require_bucket(context.objects, params)
    rules = params["OwnershipControls"].get("Rules") or []
    if len(rules) != 1 or rules[0].get("ObjectOwnership") not in OWNERSHIPS:
        raise malformed_xml()
    if rules[0]["ObjectOwnership"] == ENFORCED and not acl.owner_only(acl.of_bucket(bucket), bucket.account):
        text = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
        raise AWSError("InvalidBucketAclWithObjectOwnership", text)
    context.objects.set_bucket(bucket.name, SETTING, {"Rules": rules})
    publish(context.objects, context.settings)
    return {}


@SERVICE.operation("GetBucketOwnershipControls", place="edge")
def get_bucket_ownership_controls(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """Raises OwnershipControlsNotFoundError where they were deleted."""
    bucket = require_bucket(context.objects, params)
    kept = bucket.settings.get(SETTING, _DEFAULT)
    if not kept:
        text = "The bucket ownership controls were not found"
        raise not_configured("OwnershipControlsNotFoundError", text, bucket.name)
    return {"OwnershipControls": kept}


@SERVICE.operation("DeleteBucketOwnershipControls")
def delete_bucket_ownership_controls(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """ACLs count again."""
    bucket = require_bucket(context.objects, params)
    context.objects.set_bucket(bucket.name, SETTING, {})
    publish(context.objects, context.settings)
    return {}
