"""The configuration that blocks public access to a bucket
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html)."""

from __future__ import annotations

from typing import Any

from clary.services.context import Context, EdgeContext
from clary.services.s3.errors import not_configured
from clary.services.s3.public_access import DEFAULT, NONE, SETTING
from clary.services.s3.publication import publish
from clary.services.s3.service import SERVICE
from clary.services.s3.targets import require_bucket


@SERVICE.operation("PutPublicAccessBlock")
def put_public_access_block(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """What is not named is off."""
    bucket = require_bucket(context.objects, params)
    asked = {**NONE, **params["PublicAccessBlockConfiguration"]}
    context.objects.set_bucket(bucket.name, SETTING, asked)
    publish(context.objects, context.settings)
    return {}


@SERVICE.operation("GetPublicAccessBlock", place="edge")
def get_public_access_block(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """What a bucket begins with, unless something else was put."""
    bucket = require_bucket(context.objects, params)
    kept = bucket.settings.get(SETTING, DEFAULT)
    if not kept:
        text = "The public access block configuration was not found"
        raise not_configured("NoSuchPublicAccessBlockConfiguration", text, bucket.name)
    return {"PublicAccessBlockConfiguration": dict(kept)}


@SERVICE.operation("DeletePublicAccessBlock")
def delete_public_access_block(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Nothing is blocked any more."""
    bucket = require_bucket(context.objects, params)
    context.objects.set_bucket(bucket.name, SETTING, {})
    publish(context.objects, context.settings)
    return {}
