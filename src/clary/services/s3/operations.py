"""Importing this registers the operations."""

from __future__ import annotations

from clary.services.s3 import (
    acls,
    bucket_configurations,
    bucket_encryption,
    bucket_lifecycle,
    bucket_policy,
    bucket_settings,
    bucket_versioning,
    buckets,
    cors,
    listing,
    multipart,
    multipart_listing,
    object_attributes,
    object_lock,
    objects,
    ownership_controls,
    public_access_block,
    restoring,
    tagging,
    website,
)

__all__ = [
    "acls",
    "bucket_configurations",
    "bucket_encryption",
    "bucket_lifecycle",
    "bucket_policy",
    "bucket_settings",
    "bucket_versioning",
    "buckets",
    "cors",
    "listing",
    "multipart",
    "multipart_listing",
    "object_attributes",
    "object_lock",
    "objects",
    "ownership_controls",
    "public_access_block",
    "restoring",
    "tagging",
    "website",
]
