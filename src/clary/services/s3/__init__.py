"""Amazon S3: `SERVICE` with its operations, one file per resource, over the object store in `clary.objects`."""

from clary.services.s3 import (
    bucket_lifecycle,
    bucket_settings,
    bucket_versioning,
    buckets,
    listing,
    multipart,
    multipart_listing,
    object_attributes,
    object_lock,
    objects,
    tagging,
)
from clary.services.s3.service import SERVICE

__all__ = [
    "SERVICE",
    "bucket_lifecycle",
    "bucket_settings",
    "bucket_versioning",
    "buckets",
    "listing",
    "multipart",
    "multipart_listing",
    "object_attributes",
    "object_lock",
    "objects",
    "tagging",
]
