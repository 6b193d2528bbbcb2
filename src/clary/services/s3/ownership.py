"""Object ownership: whether a bucket's ACLs count
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html)."""

from __future__ import annotations

from clary.objects.model import Bucket

SETTING = "OwnershipControls"
OWNERSHIPS = ("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter")
ENFORCED, PREFERRED, WRITER = OWNERSHIPS


def ownership(bucket: Bucket) -> str:
    """The bucket's own, what buckets begin with, or, where it was deleted, what held before there were any."""
    kept = bucket.settings.get(SETTING)
    if kept is None:
        return ENFORCED
    rules = kept.get("Rules")
    return str(rules[0]["ObjectOwnership"]) if rules else WRITER


def acls_count(bucket: Bucket) -> bool:
    """Whether anybody but the bucket's owner may be granted something by an ACL."""
    return ownership(bucket) != ENFORCED
