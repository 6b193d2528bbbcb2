"""Objects in S3 that a request names."""

from __future__ import annotations

from itertools import islice

from clary.services.context import Context
from clary.workload.s3uri import canonical


def has_objects(context: Context, uri: str) -> bool:
    """Whether any object's address begins with `s3://bucket/prefix`."""
    bucket, prefix = split_uri(uri)
    if context.objects.get_bucket(bucket) is None:
        return False
    return any(True for _ in islice(context.objects.list(bucket, prefix), 1))


def is_object(context: Context, uri: str) -> bool:
    """Whether there is an object at `s3://bucket/key`, or at its https address with the bucket in the path."""
    bucket, key = split_uri(uri)
    return (
        bool(key) and context.objects.get_bucket(bucket) is not None and context.objects.head(bucket, key) is not None
    )


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket, and key or prefix, of `s3://…` and of S3's own addresses by https; what is neither has no such bucket."""
    bucket, _, key = canonical(uri).removeprefix("s3://").partition("/")
    return bucket, key
