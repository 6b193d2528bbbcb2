"""Subresources of buckets that no other file has: tags, and what no bucket has."""

from __future__ import annotations

from typing import Any

from clary.services.context import Context, EdgeContext
from clary.services.s3.errors import not_configured
from clary.services.s3.service import SERVICE
from clary.services.s3.tag_rules import BUCKET_TAGS, TAGGING, as_set, from_set
from clary.services.s3.targets import require_bucket


@SERVICE.operation("GetBucketReplication", place="edge", effect="keeps state")
def get_bucket_replication(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """No bucket is replicated."""
    what = "The replication configuration was not found"
    name = require_bucket(context.objects, params).name
    raise not_configured("ReplicationConfigurationNotFoundError", what, name)


@SERVICE.operation("PutBucketTagging", effect="keeps state")
def put_bucket_tagging(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    bucket = require_bucket(context.objects, params)
    context.objects.set_bucket(bucket.name, TAGGING, from_set(params["Tagging"], most=BUCKET_TAGS) or None)
    return {}


@SERVICE.operation("GetBucketTagging", place="edge", effect="keeps state")
def get_bucket_tagging(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    bucket = require_bucket(context.objects, params)
    if TAGGING not in bucket.settings:
        raise not_configured("NoSuchTagSet", "The TagSet does not exist", bucket.name)
    return {"TagSet": as_set(bucket.settings[TAGGING])}


@SERVICE.operation("DeleteBucketTagging", effect="keeps state")
def delete_bucket_tagging(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    context.objects.set_bucket(require_bucket(context.objects, params).name, TAGGING, None)
    return {}
