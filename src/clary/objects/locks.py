"""Object lock: what may not be deleted yet. Pure
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from clary.errors import AWSError
from clary.objects.model import Attributes, Bucket, ObjectInfo, to_ms

LOCK = "ObjectLock"
"""The bucket's setting: `{}`, or its default retention as `{"Mode": …, "Days"|"Years": …}`."""

_HELD = "ON"
_DAY_MS = 86_400_000
_YEAR_DAYS = 365


class LockedVersion(AWSError):
    """403: the version is retained, or held."""

    def __init__(self) -> None:
        super().__init__("AccessDenied", "Access Denied because object protected by object lock.", status=403)


def is_retained(attributes: Attributes, now_ms: int) -> bool:
    """Whether its retention has not ended yet."""
    return bool(attributes.lock_mode) and attributes.lock_until > now_ms


def is_locked(attributes: Attributes, now_ms: int, *, bypass: bool = False) -> bool:
    """Whether it may not be deleted. `bypass`: by somebody who may go around GOVERNANCE, and wants to."""
    if attributes.legal_hold == _HELD:
        return True
    return is_retained(attributes, now_ms) and not (bypass and attributes.lock_mode == "GOVERNANCE")


def check_retention(attributes: Attributes, mode: str, until: int, now_ms: int, *, bypass: bool) -> None:
    """Whether its retention may become this one (`mode` empty: none). Raises LockedVersion.

    It may always be prolonged, and made COMPLIANCE; all else needs the bypass, and COMPLIANCE has none.
    """
    if not is_retained(attributes, now_ms):
        return
    longer = until >= attributes.lock_until
    if longer and mode == attributes.lock_mode:
        return
    if attributes.lock_mode == "COMPLIANCE" or not (bypass or (longer and mode == "COMPLIANCE")):
        raise LockedVersion


def with_default(bucket: Bucket, info: ObjectInfo) -> ObjectInfo:
    """The object as it is written: the bucket's default retention, where it brings none of its own."""
    default: Mapping[str, Any] = bucket.settings.get(LOCK) or {}
    if not default or info.attributes.lock_mode:
        return info
    until = to_ms(default_until(default, info.modified))
    return replace(info, attributes=replace(info.attributes, lock_mode=default["Mode"], lock_until=until))


def default_until(default: Mapping[str, Any], moment: datetime) -> datetime:
    """When a default retention ends of what is written at `moment`."""
    days = default.get("Days") or default["Years"] * _YEAR_DAYS
    return datetime.fromtimestamp(moment.timestamp() + days * _DAY_MS / 1000, moment.tzinfo)
