"""What the bucket is called."""

from __future__ import annotations

_PREFIX = "jumpstart-cache-prod-"
_ARN = "arn:aws:s3:::"


def bucket_name(region: str) -> str:
    """The bucket that the SDKs read in a region."""
    return _PREFIX + region


def is_public(arn: str) -> bool:
    """Whether everybody may read it, and nobody change it: such a bucket, or what is in it."""
    return arn.startswith(_ARN + _PREFIX)
