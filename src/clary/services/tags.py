"""Tags: the rules that hold for every service
(https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clary.errors import AWSError, ValidationError

MOST = 50
"""Tags of one resource."""

_RESERVED = "aws:"


def checked_tags(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """A request's list of tags as key → value. Raises ValidationError."""
    checked = {tag["Key"]: tag["Value"] for tag in tags}
    if len(checked) != len(tags):
        raise ValidationError("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    for key in checked:
        if key.lower().startswith(_RESERVED):
            raise ValidationError("aws: prefixed tag key names are not allowed for external use.")
    return checked


def joined_tags(there: Mapping[str, str], added: Mapping[str, str]) -> dict[str, str]:
    """All tags of a resource after an addition. Raises ResourceLimitExceeded."""
    together = {**there, **added}
    if len(together) > MOST:
        raise AWSError(
            "ResourceLimitExceeded",
            f"A resource may have at most {MOST} tags; this one would have {len(together)}.",
        )
    return together


def listed_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """As an output holds them, ordered by key."""
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]
