"""DescribeAccountAttributes
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAccountAttributes.html)."""

from __future__ import annotations

from clary.services.context import Context
from clary.services.ec2.listing import refuse_dry_run
from clary.services.ec2.network import network
from clary.services.ec2.service import SERVICE
from clary.services.resources import Output, Params

_DEFAULT_VPC = "default-vpc"
_LIMITS = {
    "supported-platforms": "VPC",
    "vpc-max-security-groups-per-interface": "5",
    "max-instances": "0",
    "max-elastic-ips": "0",
    "vpc-max-elastic-ips": "0",
}
"""There are neither instances nor addresses to be had."""


@SERVICE.operation("DescribeAccountAttributes")
def describe_account_attributes(context: Context, params: Params) -> Output:
    """The default VPC's id, and limits."""
    refuse_dry_run(params)
    known = {_DEFAULT_VPC: network(context).id("vpc"), **_LIMITS}
    names = params.get("AttributeNames") or list(known)
    told = [{"AttributeName": name, "AttributeValues": [{"AttributeValue": known[name]}]} for name in names]
    return {"AccountAttributes": told}
