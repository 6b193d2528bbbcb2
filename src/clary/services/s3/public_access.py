"""Blocking public access
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html)."""

from __future__ import annotations

from collections.abc import Mapping

from clary.calls import Principal
from clary.errors import AWSError
from clary.objects.model import Bucket

SETTING = "PublicAccessBlock"

NAMES = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
DEFAULT: Mapping[str, bool] = dict.fromkeys(NAMES, True)
"""What a bucket begins with."""

NONE: Mapping[str, bool] = dict.fromkeys(NAMES, False)

_WHAT = {"BlockPublicPolicy": "public policies", "BlockPublicAcls": "public access control lists (ACLs)"}


def effective(bucket: Bucket) -> Mapping[str, bool]:
    """What holds of the bucket; an empty setting is one that was deleted."""
    kept: Mapping[str, bool] = bucket.settings.get(SETTING, DEFAULT)
    return {**NONE, **kept}


def refuse_public(bucket: Bucket, name: str, principal: Principal, action: str, key: str = "") -> None:
    """Raises AccessDenied where the bucket blocks what is public in that way."""
    if effective(bucket)[name]:
        resource = f"arn:aws:s3:::{bucket.name}" + (f"/{key}" if key else "")
        raise AWSError(
            "AccessDenied",
            f'User: {principal.arn} is not authorized to perform: {action} on resource: "{resource}" because '
            f"{_WHAT[name]} are prevented by the {name} setting in S3 Block Public Access.",
            status=403,
        )
