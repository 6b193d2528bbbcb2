"""The lifecycle configuration of a bucket. `keeping` carries it out; transitions are kept, and nothing else: there is
one storage here (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html).

PutBucketLifecycle and GetBucketLifecycle, which came before, are the same requests: rules with a `Prefix` of their own.
"""

from __future__ import annotations

from typing import Any

from clary.services.context import Context, EdgeContext
from clary.services.s3.errors import invalid_request, malformed_xml, not_configured
from clary.services.s3.lifecycle import LIFECYCLE
from clary.services.s3.lifecycle_rules import checked, dated
from clary.services.s3.service import SERVICE
from clary.services.s3.targets import require_bucket

_SIZES = ("all_storage_classes_128K", "varies_by_storage_class")
_SIZE = "TransitionDefaultMinimumObjectSize"


@SERVICE.operation("PutBucketLifecycleConfiguration")
def put_bucket_lifecycle_configuration(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """In place of the one that there was. What is due by it goes within a few minutes, then at each midnight UTC."""
    bucket = require_bucket(context.objects, params)
    asked, size = params.get("LifecycleConfiguration"), params.get(_SIZE, _SIZES[0])
    if asked is None:
        raise malformed_xml()
    if size not in _SIZES:
        raise invalid_request(f"Invalid TransitionDefaultMinimumObjectSize found: {size}")
    kept = {"Rules": checked(asked.get("Rules", [])), _SIZE: size}
    context.objects.set_bucket(bucket.name, LIFECYCLE, kept)
    return {_SIZE: size}


@SERVICE.operation("GetBucketLifecycleConfiguration", place="edge", effect="keeps state")
def get_bucket_lifecycle_configuration(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    bucket = require_bucket(context.objects, params)
    kept = bucket.settings.get(LIFECYCLE)
    if kept is None:
        what = "The lifecycle configuration does not exist"
        raise not_configured("NoSuchLifecycleConfiguration", what, bucket.name)
    return {"Rules": dated(kept["Rules"]), _SIZE: kept[_SIZE]}


@SERVICE.operation("DeleteBucketLifecycle")
def delete_bucket_lifecycle(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    context.objects.set_bucket(require_bucket(context.objects, params).name, LIFECYCLE, None)
    return {}
