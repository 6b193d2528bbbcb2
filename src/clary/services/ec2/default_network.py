"""The network that every account has in every region from its beginning: a VPC with a subnet in each zone, and what
belongs to it. A calculation: who asks twice hears the same
(https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from clary.names import Arn
from clary.services.ec2.regions import zones

CIDR = "172.31.0.0/16"
EVERYWHERE = "0.0.0.0/0"

_SUBNET_BITS = 20
_KEPT_ADDRESSES = 5
"""Of each subnet, by AWS."""

Item = dict[str, Any]


@dataclass(frozen=True)
class DefaultNetwork:
    """Of one account in one region."""

    account: str
    region: str

    def id(self, kind: str, name: str = "default") -> str:
        """`vpc-0…`: the same each time, and another one in each account and region."""
        digest = hashlib.sha256("/".join((self.account, self.region, kind, name)).encode()).hexdigest()
        return f"{kind}-0{digest[:16]}"

    def arn(self, resource: str) -> str:
        """Of a part."""
        return str(Arn("ec2", self.region, self.account, resource))

    @property
    def _owned(self) -> Item:
        return {"VpcId": self.id("vpc"), "OwnerId": self.account, "Tags": []}

    def vpc(self) -> Item:
        """As DescribeVpcs tells it."""
        state = {"State": "associated"}
        cidr = {"AssociationId": self.id("vpc-cidr-assoc"), "CidrBlock": CIDR, "CidrBlockState": state}
        return {
            **self._owned,
            "InstanceTenancy": "default",
            "CidrBlockAssociationSet": [cidr],
            "IsDefault": True,
            "State": "available",
            "CidrBlock": CIDR,
            "DhcpOptionsId": self.id("dopt"),
        }

    def subnets(self) -> list[Item]:
        """One in each zone."""
        blocks = IPv4Network(CIDR).subnets(new_prefix=_SUBNET_BITS)
        return [self._subnet(*zone, block) for zone, block in zip(zones(self.region), blocks, strict=False)]

    def _subnet(self, zone: str, zone_id: str, block: IPv4Network) -> Item:
        subnet = self.id("subnet", zone)
        return {
            **self._owned,
            "AvailabilityZone": zone,
            "AvailabilityZoneId": zone_id,
            "AvailableIpAddressCount": block.num_addresses - _KEPT_ADDRESSES,
            "AssignIpv6AddressOnCreation": False,
            "CidrBlock": str(block),
            "DefaultForAz": True,
            "EnableDns64": False,
            "Ipv6CidrBlockAssociationSet": [],
            "Ipv6Native": False,
            "MapCustomerOwnedIpOnLaunch": False,
            "MapPublicIpOnLaunch": True,
            "PrivateDnsNameOptionsOnLaunch": {
                "HostnameType": "ip-name",
                "EnableResourceNameDnsARecord": False,
                "EnableResourceNameDnsAAAARecord": False,
            },
            "State": "available",
            "SubnetArn": self.arn(f"subnet/{subnet}"),
            "SubnetId": subnet,
        }

    def internet_gateway(self) -> Item:
        """By which the subnets are public."""
        attached = {"VpcId": self.id("vpc"), "State": "available"}
        return {
            "InternetGatewayId": self.id("igw"),
            "OwnerId": self.account,
            "Tags": [],
            "Attachments": [attached],
        }

    def route_table(self) -> Item:
        """The main one, which every subnet has."""
        table = self.id("rtb")
        main = {
            "Main": True,
            "RouteTableAssociationId": self.id("rtbassoc"),
            "RouteTableId": table,
            "AssociationState": {"State": "associated"},
        }
        inner = {"DestinationCidrBlock": CIDR, "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"}
        outer = {
            "DestinationCidrBlock": EVERYWHERE,
            "GatewayId": self.id("igw"),
            "Origin": "CreateRoute",
            "State": "active",
        }
        shown = {"RouteTableId": table, "Associations": [main], "PropagatingVgws": [], "Routes": [inner, outer]}
        return {**self._owned, **shown}

    def network_acl(self) -> Item:
        """That lets everything pass."""
        acl = self.id("acl")
        associations = [
            {
                "NetworkAclAssociationId": self.id("aclassoc", subnet["SubnetId"]),
                "NetworkAclId": acl,
                "SubnetId": subnet["SubnetId"],
            }
            for subnet in self.subnets()
        ]
        entries = [
            {"CidrBlock": EVERYWHERE, "Egress": egress, "Protocol": "-1", "RuleAction": action, "RuleNumber": number}
            for egress in (True, False)
            for action, number in (("allow", 100), ("deny", 32767))
        ]
        shown = {"NetworkAclId": acl, "Associations": associations, "Entries": entries, "IsDefault": True}
        return {**self._owned, **shown}

    def dhcp_options(self) -> Item:
        """AWS's own resolver and domain."""
        domain = "ec2.internal" if self.region == "us-east-1" else f"{self.region}.compute.internal"
        said = (("domain-name", domain), ("domain-name-servers", "AmazonProvidedDNS"))
        told = [{"Key": key, "Values": [{"Value": value}]} for key, value in said]
        return {"DhcpOptionsId": self.id("dopt"), "OwnerId": self.account, "Tags": [], "DhcpConfigurations": told}

    def security_group(self) -> Item:
        """`default`: everything out, and in from itself."""
        group, open_rule = self.id("sg"), {"IpProtocol": "-1", "Ipv6Ranges": [], "PrefixListIds": []}
        itself = {"GroupId": group, "UserId": self.account}
        return {
            **self._owned,
            "GroupId": group,
            "GroupName": "default",
            "Description": "default VPC security group",
            "SecurityGroupArn": self.arn(f"security-group/{group}"),
            "IpPermissions": [{**open_rule, "IpRanges": [], "UserIdGroupPairs": [itself]}],
            "IpPermissionsEgress": [{**open_rule, "IpRanges": [{"CidrIp": EVERYWHERE}], "UserIdGroupPairs": []}],
        }

    def security_group_rules(self) -> list[Item]:
        """The group's two, one by one."""
        group = self.id("sg")
        itself = {"ReferencedGroupInfo": {"GroupId": group, "UserId": self.account}}
        return [
            self._rule(group, egress=False, peer=itself),
            self._rule(group, egress=True, peer={"CidrIpv4": EVERYWHERE}),
        ]

    def _rule(self, group: str, *, egress: bool, peer: Item) -> Item:
        rule = self.id("sgr", "egress" if egress else "ingress")
        return {
            "SecurityGroupRuleId": rule,
            "SecurityGroupRuleArn": self.arn(f"security-group-rule/{rule}"),
            "GroupId": group,
            "GroupOwnerId": self.account,
            "IsEgress": egress,
            "IpProtocol": "-1",
            "FromPort": -1,
            "ToPort": -1,
            "Tags": [],
            **peer,
        }
