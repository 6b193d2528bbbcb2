"""DescribeSecurityGroups, DescribeSecurityGroupRules
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clary.errors import AWSError
from clary.services.context import Context
from clary.services.ec2.listing import Listing, describes
from clary.services.ec2.network import network
from clary.services.resources import Params


def _no_group(name: str) -> AWSError:
    return AWSError("InvalidGroup.NotFound", f"The security group '{name}' does not exist")


def _no_rule(name: str) -> AWSError:
    return AWSError("InvalidSecurityGroupRuleId.NotFound", f"The security group rule ID '{name}' does not exist")


def _permission_filters(prefix: str, member: str) -> dict[str, str]:
    return {
        f"{prefix}.cidr": f"{member}.IpRanges.CidrIp",
        f"{prefix}.from-port": f"{member}.FromPort",
        f"{prefix}.group-id": f"{member}.UserIdGroupPairs.GroupId",
        f"{prefix}.group-name": f"{member}.UserIdGroupPairs.GroupName",
        f"{prefix}.protocol": f"{member}.IpProtocol",
        f"{prefix}.to-port": f"{member}.ToPort",
        f"{prefix}.user-id": f"{member}.UserIdGroupPairs.UserId",
    }


@describes(
    Listing(
        "DescribeSecurityGroups",
        "SecurityGroups",
        {"GroupIds": "GroupId", "GroupNames": "GroupName"},
        {
            "description": "Description",
            "group-id": "GroupId",
            "group-name": "GroupName",
            "owner-id": "OwnerId",
            "vpc-id": "VpcId",
            **_permission_filters("ip-permission", "IpPermissions"),
            **_permission_filters("egress.ip-permission", "IpPermissionsEgress"),
        },
        _no_group,
    )
)
def describe_security_groups(context: Context, _params: Params) -> Sequence[Mapping[str, Any]]:
    """The default VPC's `default`."""
    return [network(context).security_group()]


@describes(
    Listing(
        "DescribeSecurityGroupRules",
        "SecurityGroupRules",
        {"SecurityGroupRuleIds": "SecurityGroupRuleId"},
        {"group-id": "GroupId", "security-group-rule-id": "SecurityGroupRuleId"},
        _no_rule,
    )
)
def describe_security_group_rules(context: Context, _params: Params) -> Sequence[Mapping[str, Any]]:
    """Its two rules."""
    return network(context).security_group_rules()
