"""What answers say of an object's end: `x-amz-expiration`, and of an upload's: `x-amz-abort-date`."""

from __future__ import annotations

from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

from clary.objects.model import Bucket, ObjectInfo, Upload
from clary.services.s3.lifecycle import LIFECYCLE, abortion, expiry, rules_of


def expiration(bucket: Bucket, info: ObjectInfo) -> dict[str, str]:
    """`Expiration`, where a lifecycle rule ends the object."""
    found = expiry(rules_of(bucket), info) if LIFECYCLE in bucket.settings else None
    if found is None:
        return {}
    date = format_datetime(found[0], usegmt=True)
    return {"Expiration": f'expiry-date="{date}", rule-id="{quote(found[1].id)}"'}


def abortion_of(bucket: Bucket, upload: Upload) -> dict[str, Any]:
    """`AbortDate` and `AbortRuleId`, where a lifecycle rule drops the upload."""
    found = abortion(rules_of(bucket), upload) if LIFECYCLE in bucket.settings else None
    return {"AbortDate": found[0], "AbortRuleId": found[1].id} if found else {}
