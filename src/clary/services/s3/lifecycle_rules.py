"""What a lifecycle configuration must be: S3's rules for its rules, and S3's words for what breaks them
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from clary.names import random_hex
from clary.services.s3.errors import invalid_argument, invalid_request, malformed_xml

MOST_RULES = 1000
_ID_LETTERS = 255
_MOST_NEWER = 100
_ACTIONS = (
    "Expiration",
    "Transitions",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionTransitions",
    "AbortIncompleteMultipartUpload",
)
_COLD = ("STANDARD_IA", "ONEZONE_IA")
_CLASSES = (*_COLD, "GLACIER", "INTELLIGENT_TIERING", "DEEP_ARCHIVE", "GLACIER_IR")
_COLD_DAYS = 30

Said = Mapping[str, Any]


def checked(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rules as they are kept: each with an ID, dates as text.

    Raises MalformedXML, InvalidArgument, InvalidRequest.
    """
    if not 1 <= len(rules) <= MOST_RULES:
        raise malformed_xml()
    for rule in rules:
        _check(rule)
    kept = [{**rule, "ID": rule.get("ID") or random_hex(24)} for rule in rules]
    if len({rule["ID"] for rule in kept}) < len(kept):
        what = "Rule ID must be unique. Found same ID for more than one rule"
        raise invalid_argument(what, "ID", _twice(rule["ID"] for rule in kept))
    return [_converted(rule, lambda date: _utc(date).isoformat()) for rule in kept]


def dated(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Kept rules as answers show them: with dates."""
    return [_converted(rule, datetime.fromisoformat) for rule in rules]


def _check(rule: Said) -> None:
    if rule.get("Status") not in {"Enabled", "Disabled"} or ("Filter" in rule) == ("Prefix" in rule):
        raise malformed_xml()
    if len(rule.get("ID", "")) > _ID_LETTERS:
        what = f"ID length should not exceed allowed limit of {_ID_LETTERS}"
        raise invalid_argument(what, "ID", rule["ID"])
    if not any(action in rule for action in _ACTIONS):
        raise invalid_request("At least one action needs to be specified in a rule")
    narrow = _check_filter(rule.get("Filter") or {})
    _check_expiration(rule, narrow)
    _check_noncurrent(rule)
    _check_abortion(rule, narrow)
    _check_transitions(rule)


def _check_filter(said: Said) -> str:
    """What it asks of an object beside its key, in S3's words; empty: nothing."""
    if len(said) > 1:
        raise malformed_xml()
    together = said.get("And")
    parts = said if together is None else together
    tags = [*parts.get("Tags", []), *([parts["Tag"]] if "Tag" in parts else [])]
    keys = [tag.get("Key") for tag in tags]
    if together == {} or not all(keys) or not all("Value" in tag for tag in tags):
        raise malformed_xml()
    if len(set(keys)) < len(keys):
        raise invalid_request("Duplicate Tag Keys are not allowed.")
    above, below = parts.get("ObjectSizeGreaterThan"), parts.get("ObjectSizeLessThan")
    if above is not None and below is not None and below <= above + 1:
        what = "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'."
        raise invalid_request(what)
    return "Tags" if tags else "Object Size" if (above, below) != (None, None) else ""


def _check_expiration(rule: Said, narrow: str) -> None:
    if "Expiration" not in rule:
        return
    said = rule["Expiration"]
    if len(said) != 1:
        raise malformed_xml()
    _check_positive(said.get("Days"), "Days", "Expiration")
    _check_midnight(said.get("Date"))
    if narrow and "ExpiredObjectDeleteMarker" in said:
        raise invalid_request(f"ExpiredObjectDeleteMarker cannot be specified with {narrow}.")


def _check_noncurrent(rule: Said) -> None:
    if "NoncurrentVersionExpiration" not in rule:
        return
    said = rule["NoncurrentVersionExpiration"]
    newer = said.get("NewerNoncurrentVersions")
    if not said:
        raise malformed_xml()
    _check_positive(said.get("NoncurrentDays"), "NoncurrentDays", "NoncurrentVersionExpiration")
    if newer is not None and not 1 <= newer <= _MOST_NEWER:
        what = f"'NewerNoncurrentVersions' for NoncurrentVersionExpiration action must be between 1 and {_MOST_NEWER}"
        raise invalid_argument(what, "NewerNoncurrentVersions", str(newer))


def _check_abortion(rule: Said, narrow: str) -> None:
    if "AbortIncompleteMultipartUpload" not in rule:
        return
    days = rule["AbortIncompleteMultipartUpload"].get("DaysAfterInitiation")
    if days is None:
        raise malformed_xml()
    _check_positive(days, "DaysAfterInitiation", "AbortIncompleteMultipartUpload")
    if narrow:
        raise invalid_request(f"AbortIncompleteMultipartUpload cannot be specified with {narrow}.")


def _check_transitions(rule: Said) -> None:
    last = -1
    for said in rule.get("Transitions", []):
        if said.get("StorageClass") not in _CLASSES or ("Days" in said) == ("Date" in said):
            raise malformed_xml()
        _check_midnight(said.get("Date"))
        _check_class_days(said, "Days", "Transition")
        last = max(last, said.get("Days", -1))
    for said in rule.get("NoncurrentVersionTransitions", []):
        if said.get("StorageClass") not in _CLASSES or "NoncurrentDays" not in said:
            raise malformed_xml()
        _check_class_days(said, "NoncurrentDays", "NoncurrentVersionTransition")
    expires = (rule.get("Expiration") or {}).get("Days")
    if expires is not None and expires <= last:
        what = "'Days' in the Expiration action for rule must be greater than 'Days' in the Transition action"
        raise invalid_argument(what, "Days", str(expires))


def _check_class_days(said: Said, name: str, action: str) -> None:
    days, wanted = said.get(name, _COLD_DAYS), said["StorageClass"]
    if days < 0:
        raise invalid_argument(f"'{name}' in {action} action must be nonnegative", name, str(days))
    if wanted in _COLD and days < _COLD_DAYS:
        what = f"'{name}' in {action} action must be greater than or equal to {_COLD_DAYS} for storageClass '{wanted}'"
        raise invalid_argument(what, name, str(days))


def _check_positive(value: int | None, name: str, action: str) -> None:
    if value is not None and not 1 <= value < 2**31:
        raise invalid_argument(f"'{name}' for {action} action must be a positive integer", name, str(value))


def _check_midnight(date: datetime | None) -> None:
    if date is not None and (moment := _utc(date)) != moment.replace(hour=0, minute=0, second=0, microsecond=0):
        raise invalid_argument("'Date' must be at midnight GMT", "Date", moment.isoformat())


def _utc(date: datetime) -> datetime:
    try:
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:  # beyond the first or the last year
        raise malformed_xml() from None


def _twice(values: Iterable[str]) -> str:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return ""


def _converted(rule: Said, convert: Callable[[Any], Any]) -> dict[str, Any]:
    """With another form of its dates."""
    changed = dict(rule)
    if "Expiration" in rule:
        changed["Expiration"] = _date_converted(rule["Expiration"], convert)
    if "Transitions" in rule:
        changed["Transitions"] = [_date_converted(said, convert) for said in rule["Transitions"]]
    return changed


def _date_converted(said: Said, convert: Callable[[Any], Any]) -> dict[str, Any]:
    return {name: convert(value) if name == "Date" else value for name, value in said.items()}
