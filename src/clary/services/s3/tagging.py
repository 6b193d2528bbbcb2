"""Tags of objects (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html)."""

from __future__ import annotations

from typing import Any

from clary.services.context import Context, EdgeContext
from clary.services.s3.service import SERVICE
from clary.services.s3.tag_rules import as_set, from_set
from clary.services.s3.targets import require_object


@SERVICE.operation("PutObjectTagging", effect="keeps state")
def put_object_tagging(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    info = require_object(context.objects, params)
    context.objects.set_tags(info.bucket, info.key, from_set(params["Tagging"]))
    return {}


@SERVICE.operation("GetObjectTagging", place="edge", effect="keeps state")
def get_object_tagging(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    return {"TagSet": as_set(dict(require_object(context.objects, params).attributes.tags))}


@SERVICE.operation("DeleteObjectTagging", effect="keeps state")
def delete_object_tagging(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    info = require_object(context.objects, params)
    context.objects.set_tags(info.bucket, info.key, {})
    return {}
