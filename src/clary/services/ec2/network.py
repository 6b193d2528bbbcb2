"""DescribeVpcs and what belongs to a VPC. There is one in each region, and no call makes another: what runs here has
networks of its own, which no VPC is part of
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from clary.errors import AWSError
from clary.services.context import Context
from clary.services.ec2 import errors
from clary.services.ec2.default_network import DefaultNetwork
from clary.services.ec2.listing import Listing, describes, refuse_dry_run
from clary.services.ec2.service import SERVICE
from clary.services.resources import Output, Params

Found = Sequence[Mapping[str, Any]]

_OWNED = {"owner-id": "OwnerId", "vpc-id": "VpcId"}
_ATTRIBUTES = {
    "enableDnsSupport": ("EnableDnsSupport", True),
    "enableDnsHostnames": ("EnableDnsHostnames", True),
    "enableNetworkAddressUsageMetrics": ("EnableNetworkAddressUsageMetrics", False),
}
"""Of a default VPC."""


def network(context: Context) -> DefaultNetwork:
    """The caller's, in the region that is spoken to."""
    return DefaultNetwork(context.account, context.region)


def absent(code: str, noun: str) -> Callable[[str], AWSError]:
    """What an id of nothing gets: `The vpc ID 'vpc-1' does not exist`."""
    return lambda name: AWSError(code, f"The {noun} ID '{name}' does not exist")


_no_vpc = absent("InvalidVpcID.NotFound", "vpc")


@describes(
    Listing(
        "DescribeVpcs",
        "Vpcs",
        {"VpcIds": "VpcId"},
        {
            **_OWNED,
            "cidr": "CidrBlock",
            "cidr-block-association.association-id": "CidrBlockAssociationSet.AssociationId",
            "cidr-block-association.cidr-block": "CidrBlockAssociationSet.CidrBlock",
            "cidr-block-association.state": "CidrBlockAssociationSet.CidrBlockState.State",
            "dhcp-options-id": "DhcpOptionsId",
            "is-default": "IsDefault",
            "isDefault": "IsDefault",
            "state": "State",
        },
        _no_vpc,
    )
)
def describe_vpcs(context: Context, _params: Params) -> Found:
    """The default one."""
    return [network(context).vpc()]


@SERVICE.operation("DescribeVpcAttribute")
def describe_vpc_attribute(context: Context, params: Params) -> Output:
    """One of three. Raises InvalidVpcID.NotFound, MissingParameter."""
    refuse_dry_run(params)
    for name in ("VpcId", "Attribute"):
        if not params.get(name):
            raise errors.missing(name[0].lower() + name[1:])
    if params["VpcId"] != network(context).id("vpc"):
        raise _no_vpc(params["VpcId"])
    member, value = _ATTRIBUTES[params["Attribute"]]
    return {"VpcId": params["VpcId"], member: {"Value": value}}


@describes(
    Listing(
        "DescribeSubnets",
        "Subnets",
        {"SubnetIds": "SubnetId"},
        {
            **_OWNED,
            "availability-zone": "AvailabilityZone",
            "availabilityZone": "AvailabilityZone",
            "availability-zone-id": "AvailabilityZoneId",
            "availabilityZoneId": "AvailabilityZoneId",
            "available-ip-address-count": "AvailableIpAddressCount",
            "cidr": "CidrBlock",
            "cidr-block": "CidrBlock",
            "cidrBlock": "CidrBlock",
            "default-for-az": "DefaultForAz",
            "defaultForAz": "DefaultForAz",
            "enable-dns64": "EnableDns64",
            "ipv6-native": "Ipv6Native",
            "map-public-ip-on-launch": "MapPublicIpOnLaunch",
            "state": "State",
            "subnet-arn": "SubnetArn",
            "subnet-id": "SubnetId",
        },
        absent("InvalidSubnetID.NotFound", "subnet"),
    )
)
def describe_subnets(context: Context, _params: Params) -> Found:
    """One in each zone."""
    return network(context).subnets()


@describes(
    Listing(
        "DescribeRouteTables",
        "RouteTables",
        {"RouteTableIds": "RouteTableId"},
        {
            **_OWNED,
            "association.gateway-id": "Associations.GatewayId",
            "association.main": "Associations.Main",
            "association.route-table-association-id": "Associations.RouteTableAssociationId",
            "association.route-table-id": "Associations.RouteTableId",
            "association.subnet-id": "Associations.SubnetId",
            "route-table-id": "RouteTableId",
            "route.destination-cidr-block": "Routes.DestinationCidrBlock",
            "route.gateway-id": "Routes.GatewayId",
            "route.nat-gateway-id": "Routes.NatGatewayId",
            "route.origin": "Routes.Origin",
            "route.state": "Routes.State",
        },
        absent("InvalidRouteTableID.NotFound", "routeTable"),
    )
)
def describe_route_tables(context: Context, _params: Params) -> Found:
    """The main one."""
    return [network(context).route_table()]


@describes(
    Listing(
        "DescribeInternetGateways",
        "InternetGateways",
        {"InternetGatewayIds": "InternetGatewayId"},
        {
            "attachment.state": "Attachments.State",
            "attachment.vpc-id": "Attachments.VpcId",
            "internet-gateway-id": "InternetGatewayId",
            "owner-id": "OwnerId",
        },
        absent("InvalidInternetGatewayID.NotFound", "internetGateway"),
    )
)
def describe_internet_gateways(context: Context, _params: Params) -> Found:
    """The VPC's."""
    return [network(context).internet_gateway()]


@describes(
    Listing(
        "DescribeNetworkAcls",
        "NetworkAcls",
        {"NetworkAclIds": "NetworkAclId"},
        {
            **_OWNED,
            "association.association-id": "Associations.NetworkAclAssociationId",
            "association.network-acl-id": "Associations.NetworkAclId",
            "association.subnet-id": "Associations.SubnetId",
            "default": "IsDefault",
            "entry.cidr": "Entries.CidrBlock",
            "entry.egress": "Entries.Egress",
            "entry.protocol": "Entries.Protocol",
            "entry.rule-action": "Entries.RuleAction",
            "entry.rule-number": "Entries.RuleNumber",
            "network-acl-id": "NetworkAclId",
        },
        absent("InvalidNetworkAclID.NotFound", "networkAcl"),
    )
)
def describe_network_acls(context: Context, _params: Params) -> Found:
    """The VPC's."""
    return [network(context).network_acl()]


@describes(
    Listing(
        "DescribeDhcpOptions",
        "DhcpOptions",
        {"DhcpOptionsIds": "DhcpOptionsId"},
        {
            "dhcp-options-id": "DhcpOptionsId",
            "key": "DhcpConfigurations.Key",
            "owner-id": "OwnerId",
            "value": "DhcpConfigurations.Values.Value",
        },
        absent("InvalidDhcpOptionsID.NotFound", "dhcpOptions"),
    )
)
def describe_dhcp_options(context: Context, _params: Params) -> Found:
    """The VPC's."""
    return [network(context).dhcp_options()]
