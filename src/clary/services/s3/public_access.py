"""Blocking public access
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html)."""

from __future__ import annotations

from collections.abc import Mapping

from clary.calls import Principal
from clary.errors import AWSError
from clary.objects.model import Bucket
from clary.objects.reader import ObjectReader
from clary.services.s3.targets import HIDDEN

SETTING = "PublicAccessBlock"

NAMES = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
DEFAULT: Mapping[str, bool] = dict.fromkeys(NAMES, True)
"""What a bucket begins with."""

NONE: Mapping[str, bool] = dict.fromkeys(NAMES, False)

_WHAT = {"BlockPublicPolicy": "public policies", "BlockPublicAcls": "public access control lists (ACLs)"}


def effective(objects: ObjectReader, bucket: Bucket) -> Mapping[str, bool]:
    """What holds of the bucket: its own setting (an empty one was deleted) and its account's, the stricter of both."""
    own: Mapping[str, bool] = bucket.settings.get(SETTING, DEFAULT)
    account = of_account(objects, bucket.account)
    return {name: own.get(name, False) or account.get(name, False) for name in NAMES}


def account_bucket(account: str) -> str:
    """The bucket, hidden from S3, whose settings are the account's."""
    return f"account{HIDDEN}{account}"


def of_account(objects: ObjectReader, account: str) -> Mapping[str, bool]:
    """What the account has put for all of its buckets; empty where it has put nothing."""
    kept = objects.get_bucket(account_bucket(account))
    return kept.settings.get(SETTING, {}) if kept is not None else {}


def refuse_public(
    objects: ObjectReader, bucket: Bucket, name: str, principal: Principal, action: str, key: str = ""
) -> None:
    """Raises AccessDenied where the bucket, or its account, blocks what is public in that way."""
    if effective(objects, bucket)[name]:
        resource = f"arn:aws:s3:::{bucket.name}" + (f"/{key}" if key else "")
        raise AWSError(
            "AccessDenied",
            f'User: {principal.arn} is not authorized to perform: {action} on resource: "{resource}" because '
            f"{_WHAT[name]} are prevented by the {name} setting in S3 Block Public Access.",
            status=403,
        )
