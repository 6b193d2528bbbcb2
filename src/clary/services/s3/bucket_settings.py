"""Subresources of buckets. Those that are kept say what was put; for all others the truth is that there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.services.context import Context, EdgeContext
from clary.services.s3.errors import not_configured
from clary.services.s3.service import SERVICE
from clary.services.s3.tag_rules import BUCKET_TAGS, as_set, from_set
from clary.services.s3.targets import require_bucket

_ABSENT = {
    "GetBucketLifecycleConfiguration": (
        "NoSuchLifecycleConfiguration",
        "The lifecycle configuration does not exist",
    ),
    "GetBucketReplication": (
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
    ),
    "GetObjectLockConfiguration": (
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    ),
}
"""Reads of what no bucket has: the error that says so."""

_EMPTY: Mapping[str, Mapping[str, Any]] = {
    "GetBucketVersioning": {},
}
"""Reads of what every bucket has in its first state."""


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
