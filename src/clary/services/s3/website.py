"""The website configuration of buckets
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketWebsite.html)."""

from __future__ import annotations

from typing import Any

from clary.services.context import Context, EdgeContext
from clary.services.s3.errors import not_configured
from clary.services.s3.service import SERVICE
from clary.services.s3.targets import require_bucket
from clary.services.s3.website_rules import SETTING, check


@SERVICE.operation("PutBucketWebsite")
def put_bucket_website(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Raises InvalidArgument, InvalidRequest, MalformedXML."""
    bucket = require_bucket(context.objects, params)
    site = params["WebsiteConfiguration"]
    check(site)
    context.objects.set_bucket(bucket.name, SETTING, site)
    return {}


@SERVICE.operation("GetBucketWebsite", place="edge")
def get_bucket_website(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """Raises NoSuchWebsiteConfiguration."""
    bucket = require_bucket(context.objects, params)
    if SETTING not in bucket.settings:
        text = "The specified bucket does not have a website configuration"
        raise not_configured("NoSuchWebsiteConfiguration", text, bucket.name)
    return dict(bucket.settings[SETTING])


@SERVICE.operation("DeleteBucketWebsite")
def delete_bucket_website(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """One that is not there is deleted, too."""
    bucket = require_bucket(context.objects, params)
    context.objects.set_bucket(bucket.name, SETTING, None)
    return {}
