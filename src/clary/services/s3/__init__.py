"""Amazon S3: `SERVICE` with its operations, one file per resource, over the object store in `clary.objects`."""

from clary.services.s3 import (
    acls,
    bucket_configurations,
    bucket_policy,
    bucket_settings,
    buckets,
    cors,
    listing,
    multipart,
    multipart_listing,
    object_attributes,
    objects,
    ownership_controls,
    public_access_block,
    tagging,
    website,
)
from clary.services.s3.service import SERVICE

__all__ = [
    "SERVICE",
    "acls",
    "bucket_configurations",
    "bucket_policy",
    "bucket_settings",
    "buckets",
    "cors",
    "listing",
    "multipart",
    "multipart_listing",
    "object_attributes",
    "objects",
    "ownership_controls",
    "public_access_block",
    "tagging",
    "website",
]
