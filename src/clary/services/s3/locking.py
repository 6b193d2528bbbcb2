"""Object lock as requests say it: headers of writes, and who may go around a retention
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from clary.errors import AWSError
from clary.objects.locks import LOCK
from clary.objects.model import Attributes, Bucket, LockMode, from_ms, now_ms, to_ms
from clary.services.context import Context
from clary.services.s3.access import bypass
from clary.services.s3.errors import invalid_argument, invalid_request, malformed_xml

_MODES: tuple[LockMode, ...] = ("GOVERNANCE", "COMPLIANCE")
_HOLDS = ("ON", "OFF")
_LAST_MS = to_ms(datetime(9999, 12, 31, tzinfo=UTC))
_MODE, _UNTIL, _HOLD = (f"x-amz-object-lock-{name}" for name in ("mode", "retain-until-date", "legal-hold"))


def require_lock(bucket: Bucket) -> None:
    """Raises InvalidRequest where the bucket has no object lock."""
    if LOCK not in bucket.settings:
        raise invalid_request("Bucket is missing Object Lock Configuration")


def asked_lock(bucket: Bucket, params: dict[str, Any]) -> dict[str, Any]:
    """What a write's headers say, as members of `Attributes`. Raises InvalidArgument, InvalidRequest."""
    mode, until = params.get("ObjectLockMode"), params.get("ObjectLockRetainUntilDate")
    hold = params.get("ObjectLockLegalHoldStatus")
    if mode is None and until is None and hold is None:
        return {}
    if (mode is None) != (until is None):
        what = f"{_UNTIL} and {_MODE} must both be supplied"
        raise invalid_argument(what, _UNTIL if until is None else _MODE, None)
    if mode is not None and mode not in _MODES:
        raise invalid_argument("Unknown wormMode directive.", _MODE, mode)
    if hold is not None and hold not in _HOLDS:
        raise invalid_argument("Legal Hold must be either of 'ON' or 'OFF'", _HOLD, hold)
    require_lock(bucket)
    retained = {} if until is None else {"lock_mode": mode, "lock_until": future(until)}
    return {**retained, **({} if hold is None else {"legal_hold": hold})}


def future(until: datetime) -> int:
    """The end of a retention in milliseconds. Raises InvalidArgument where it has passed, MalformedXML beyond the
    calendar."""
    moment = until if until.tzinfo else until.replace(tzinfo=UTC)
    if to_ms(moment) > _LAST_MS:
        raise malformed_xml()
    if to_ms(moment) <= now_ms():
        said = moment.strftime("%a %b %d %H:%M:%S %Z %Y")
        raise invalid_argument("The retain until date must be in the future!", "RetainUntilDate", said)
    return to_ms(moment)


def check_bypass(bucket: Bucket, params: dict[str, Any]) -> None:
    """Raises InvalidArgument where a request says anything of a bypass, and there is nothing to go around."""
    if "BypassGovernanceRetention" in params and LOCK not in bucket.settings:
        name = "x-amz-bypass-governance-retention"
        raise invalid_argument(f"{name} is only applicable to Object Lock enabled buckets.", name, None)


def may_bypass(context: Context, bucket: Bucket, params: dict[str, Any], key: str) -> bool:
    """Whether the caller wants to go around GOVERNANCE, and may. Raises InvalidArgument where there is no lock."""
    check_bypass(bucket, params)
    if not params.get("BypassGovernanceRetention"):
        return False
    try:
        context.authorise(bypass(bucket.name, key))
    except AWSError:
        return False
    return True


def shown_lock(attributes: Attributes) -> dict[str, Any]:
    """As GetObject and HeadObject show it."""
    output: dict[str, Any] = {}
    if attributes.lock_mode:
        output["ObjectLockMode"] = attributes.lock_mode
        output["ObjectLockRetainUntilDate"] = from_ms(attributes.lock_until)
    if attributes.legal_hold:
        output["ObjectLockLegalHoldStatus"] = attributes.legal_hold
    return output
