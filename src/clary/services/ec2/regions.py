"""Regions and their zones, as botocore and AWS's pages name them
(https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from clary.compute.aws_names import partitions, region_name
from clary.errors import AWSError
from clary.services.context import Context
from clary.services.ec2.listing import Listing, describes
from clary.services.resources import Params

_THERE_AT_ONCE = frozenset(
    {
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
        *("ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1"),
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2"),
    }
)
"""Regions of the partition `aws` that an account need not ask for; it must for all others."""

_ZONES = {
    "us-east-1": "abcdef",
    "us-west-1": "ab",
    "us-west-2": "abcd",
    "ap-northeast-1": "acd",
    "ap-northeast-2": "abcd",
    "ca-central-1": "abd",
}
"""Letters of regions that have others than a, b and c."""

_WAYS = {"northeast": "ne", "southeast": "se", "northwest": "nw", "southwest": "sw"}
_NAME = re.compile(r"(?P<area>[a-z]{2})(?P<kind>-[a-z]+)?-(?P<way>[a-z]+)-(?P<number>[0-9]+)\Z")


def zones(region: str) -> list[tuple[str, str]]:
    """Name and id of each: `us-east-1a`, `use1-az1`. On AWS letters are dealt to accounts by chance; here in order."""
    letters = _ZONES.get(region, "abc")
    return [(f"{region}{letter}", f"{_short(region)}-az{number}") for number, letter in enumerate(letters, 1)]


def _short(region: str) -> str:
    """`use1`, `apne1`, `usgw1`."""
    found = _NAME.match(region)
    if found is None:
        return region
    kind = (found["kind"] or "")[1:2]
    return f"{found['area']}{kind}{_WAYS.get(found['way'], found['way'][0])}{found['number']}"


@cache
def _partition(region: str) -> tuple[str, tuple[tuple[str, bool], ...]]:
    """The domain of the partition that the region is in, and its regions: whether each is there at once."""
    known = partitions()
    found = next((each for each in known if region in each["regions"]), known[0])
    names = sorted({*found["regions"], region})
    others = found["id"] != "aws"
    there = tuple((name, others or name in _THERE_AT_ONCE) for name in names if not name.endswith("-global"))
    return found["outputs"]["dnsSuffix"], there


def _no_region(name: str) -> AWSError:
    return AWSError("InvalidParameterValue", f"Invalid region provided: {name}")


def _no_zone(name: str) -> AWSError:
    return AWSError("InvalidParameterValue", f"Invalid availability zone: [{name}]")


@describes(
    Listing(
        "DescribeRegions",
        "Regions",
        {"RegionNames": "RegionName"},
        {"endpoint": "Endpoint", "opt-in-status": "OptInStatus", "region-name": "RegionName"},
        _no_region,
    )
)
def describe_regions(context: Context, params: Params) -> Sequence[Mapping[str, Any]]:
    """Those that an account has from its beginning, and the one that is spoken to; all of the partition if asked."""
    domain, there = _partition(context.region)
    found = [
        {
            "RegionName": name,
            "Endpoint": f"ec2.{name}.{domain}",
            "OptInStatus": "opt-in-not-required" if at_once else _asked_for(name, context.region),
        }
        for name, at_once in there
    ]
    everything = params.get("AllRegions") or params.get("RegionNames")
    return [each for each in found if everything or each["OptInStatus"] != "not-opted-in"]


def _asked_for(region: str, spoken: str) -> str:
    return "opted-in" if region == spoken else "not-opted-in"


@describes(
    Listing(
        "DescribeAvailabilityZones",
        "AvailabilityZones",
        {"ZoneNames": "ZoneName", "ZoneIds": "ZoneId"},
        {
            "group-name": "GroupName",
            "message": "Messages.Message",
            "opt-in-status": "OptInStatus",
            "parent-zone-id": "ParentZoneId",
            "parent-zone-name": "ParentZoneName",
            "region-name": "RegionName",
            "state": "State",
            "zone-id": "ZoneId",
            "zone-name": "ZoneName",
            "zone-type": "ZoneType",
        },
        _no_zone,
    )
)
def describe_availability_zones(context: Context, _params: Params) -> Sequence[Mapping[str, Any]]:
    """Of the region that is spoken to."""
    return [
        {
            "OptInStatus": "opt-in-not-required",
            "Messages": [],
            "RegionName": context.region,
            "ZoneName": name,
            "ZoneId": zone_id,
            "GroupName": f"{context.region}-zg-1",
            "GroupLongName": f"{region_name(context.region)} 1",
            "NetworkBorderGroup": context.region,
            "ZoneType": "availability-zone",
            "State": "available",
        }
        for name, zone_id in zones(context.region)
    ]
