"""Where a bucket is: the region that its LocationConstraint means
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html)."""

from __future__ import annotations

from functools import cache

from clary.compute.aws_names import partitions
from clary.errors import AWSError
from clary.objects.model import Bucket

HOME_REGION = "us-east-1"
"""The region whose buckets have no location constraint."""

LOCATION = "Location"
"""The bucket's setting: its constraint, where that is no region's name."""

_OLD_NAMES = {"EU": "eu-west-1"}
_GLOBAL = "-global"


def is_region(name: str, spoken: str) -> bool:
    """Whether there is such a region; one that is spoken to there is, however new."""
    return name == spoken or name in _known()


@cache
def _known() -> frozenset[str]:
    return frozenset(name for partition in partitions() for name in partition["regions"] if not name.endswith(_GLOBAL))


def choose_region(asked_at: str, constraint: str | None) -> str:
    """The bucket's region, from the region that is spoken to and the LocationConstraint.

    Raises IllegalLocationConstraintException, InvalidLocationConstraint.
    """
    if not constraint:
        if asked_at != HOME_REGION:
            raise _illegal_location("unspecified")
        return HOME_REGION
    region = _OLD_NAMES.get(constraint, constraint)
    if asked_at not in (HOME_REGION, region):
        raise _illegal_location(constraint)
    if region == HOME_REGION or not is_region(region, asked_at):
        what = "The specified location-constraint is not valid"
        raise AWSError("InvalidLocationConstraint", what, members={"LocationConstraint": constraint})
    return region


def _illegal_location(constraint: str) -> AWSError:
    return AWSError(
        "IllegalLocationConstraintException",
        f"The {constraint} location constraint is incompatible for the region specific endpoint this request was sent "
        "to.",
    )


def kept_name(constraint: str | None) -> dict[str, dict[str, str]]:
    """The setting, where there is anything to keep beside the region."""
    return {LOCATION: {"Constraint": constraint}} if constraint in _OLD_NAMES else {}


def constraint_of(bucket: Bucket) -> str | None:
    """As it was asked for."""
    known = None if bucket.region == HOME_REGION else bucket.region
    constraint: str | None = bucket.settings.get(LOCATION, {}).get("Constraint", known)
    return constraint
