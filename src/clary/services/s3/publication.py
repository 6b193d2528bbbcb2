"""What every process must know of buckets to decide who may reach them, published after each change of it."""

from __future__ import annotations

import json

from clary.identity.resources import Published
from clary.objects.model import Bucket
from clary.objects.reader import ObjectReader
from clary.services import guarding
from clary.services.s3.ownership import acls_count
from clary.services.s3.public_access import effective
from clary.services.s3.public_policy import is_public
from clary.settings import Settings

POLICY = "Policy"
"""The setting that holds a bucket's policy, as it was put."""

SERVICE = "s3"


def publish(objects: ObjectReader, settings: Settings) -> None:
    """Publish buckets as they are, unless nothing has changed since the last time."""
    guarding.publish(settings, SERVICE, lambda: described(objects, settings.account_id))


def counts(objects: ObjectReader, bucket: Bucket, settings: Settings) -> bool:
    """Whether anything of the bucket is published."""
    return _published(objects, bucket) != {"account": settings.account_id}


def described(objects: ObjectReader, account: str) -> dict[str, Published]:
    """Buckets that have a policy, whose ACLs count, or that another account owns."""
    by_arn = {f"arn:aws:s3:::{bucket.name}": _published(objects, bucket) for bucket in objects.all_buckets()}
    return {arn: said for arn, said in by_arn.items() if said != {"account": account}}


def _published(objects: ObjectReader, bucket: Bucket) -> Published:
    said: Published = {"account": bucket.account}
    if POLICY in bucket.settings:
        said["policy"] = bucket.settings[POLICY]["Document"]
        if effective(objects, bucket)["RestrictPublicBuckets"] and is_public(json.loads(said["policy"])):
            said["closed"] = True
    if acls_count(bucket):
        said["grants"] = True
    return said
