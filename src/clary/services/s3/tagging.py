"""Tags of objects (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html)."""

from __future__ import annotations

from typing import Any

from clary.services.context import Context, EdgeContext
from clary.services.s3.service import SERVICE
from clary.services.s3.tag_rules import as_set, from_set
from clary.services.s3.targets import located_or_marked, version_of


@SERVICE.operation("PutObjectTagging", effect="keeps state")
def put_object_tagging(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    bucket, info = located_or_marked(context.objects, params, "PUT")
    context.objects.set_tags(info.bucket, info.key, from_set(params["Tagging"]), params.get("VersionId"))
    return {**version_of(bucket, info)}


@SERVICE.operation("GetObjectTagging", place="edge", effect="keeps state")
def get_object_tagging(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    bucket, info = located_or_marked(context.objects, params, "GET")
    return {"TagSet": as_set(dict(info.attributes.tags)), **version_of(bucket, info)}


@SERVICE.operation("DeleteObjectTagging", effect="keeps state")
def delete_object_tagging(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    bucket, info = located_or_marked(context.objects, params, "DELETE")
    context.objects.set_tags(info.bucket, info.key, {}, params.get("VersionId"))
    return {**version_of(bucket, info)}
