"""The CORS configuration of buckets (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html)."""

from __future__ import annotations

from typing import Any

from clary.services.context import Context, EdgeContext
from clary.services.s3.cors_rules import SETTING, check
from clary.services.s3.errors import not_configured
from clary.services.s3.service import SERVICE
from clary.services.s3.targets import require_bucket


@SERVICE.operation("PutBucketCors")
def put_bucket_cors(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Raises MalformedXML, InvalidRequest."""
    bucket = require_bucket(context.objects, params)
    rules = params["CORSConfiguration"].get("CORSRules") or []
    check(rules)
    context.objects.set_bucket(bucket.name, SETTING, {"CORSRules": rules})
    return {}


@SERVICE.operation("GetBucketCors", place="edge")
def get_bucket_cors(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """Raises NoSuchCORSConfiguration."""
    bucket = require_bucket(context.objects, params)
    if SETTING not in bucket.settings:
        raise not_configured("NoSuchCORSConfiguration", "The CORS configuration does not exist", bucket.name)
    return dict(bucket.settings[SETTING])


@SERVICE.operation("DeleteBucketCors")
def delete_bucket_cors(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """One that is not there is deleted, too."""
    bucket = require_bucket(context.objects, params)
    context.objects.set_bucket(bucket.name, SETTING, None)
    return {}
