"""What an account has none of: no call makes one here, so that who asks for all hears of none, and who asks for one by
its id hears that it does not exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from clary.errors import AWSError
from clary.services.context import Context
from clary.services.ec2.listing import Listing, describes
from clary.services.ec2.network import absent
from clary.services.resources import Params


def _said(code: str, text: str) -> Callable[[str], AWSError]:
    return lambda name: AWSError(code, text.format(name))


_NONE: tuple[tuple[str, str, str, Callable[[str], AWSError]], ...] = (
    (
        "DescribeAddresses",
        "Addresses",
        "AllocationIds PublicIps",
        absent("InvalidAllocationID.NotFound", "allocation"),
    ),
    (
        "DescribeFlowLogs",
        "FlowLogs",
        "FlowLogIds",
        absent("InvalidFlowLogId.NotFound", "flow log"),
    ),
    ("DescribeImages", "Images", "ImageIds", _said("InvalidAMIID.NotFound", "The image id '[{}]' does not exist")),
    ("DescribeInstanceStatus", "InstanceStatuses", "InstanceIds", absent("InvalidInstanceID.NotFound", "instance")),
    ("DescribeInstances", "Reservations", "InstanceIds", absent("InvalidInstanceID.NotFound", "instance")),
    (
        "DescribeKeyPairs",
        "KeyPairs",
        "KeyNames KeyPairIds",
        _said("InvalidKeyPair.NotFound", "The key pair '{}' does not exist"),
    ),
    (
        "DescribeLaunchTemplates",
        "LaunchTemplates",
        "LaunchTemplateIds LaunchTemplateNames",
        _said(
            "InvalidLaunchTemplateId.NotFound", "The specified launch template, with template ID {}, does not exist."
        ),
    ),
    (
        "DescribeNatGateways",
        "NatGateways",
        "NatGatewayIds",
        _said("NatGatewayNotFound", "The Nat Gateway {} was not found"),
    ),
    (
        "DescribeNetworkInterfaces",
        "NetworkInterfaces",
        "NetworkInterfaceIds",
        absent("InvalidNetworkInterfaceID.NotFound", "networkInterface"),
    ),
    (
        "DescribeSnapshots",
        "Snapshots",
        "SnapshotIds",
        _said("InvalidSnapshot.NotFound", "The snapshot '{}' does not exist."),
    ),
    (
        "DescribeTransitGateways",
        "TransitGateways",
        "TransitGatewayIds",
        _said("InvalidTransitGatewayID.NotFound", "Transit Gateway {} was deleted or does not exist."),
    ),
    ("DescribeVolumes", "Volumes", "VolumeIds", _said("InvalidVolume.NotFound", "The volume '{}' does not exist.")),
    (
        "DescribeVpcEndpoints",
        "VpcEndpoints",
        "VpcEndpointIds",
        _said("InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '{}' does not exist"),
    ),
    (
        "DescribeVpcPeeringConnections",
        "VpcPeeringConnections",
        "VpcPeeringConnectionIds",
        absent("InvalidVpcPeeringConnectionID.NotFound", "vpcPeeringConnection"),
    ),
)
"""Operation, member of the output, members of the request that name some, and what such a name gets."""


def _none(_context: Context, _params: Params) -> Sequence[Mapping[str, Any]]:
    return ()


for _operation, _member, _ids, _missing in _NONE:
    describes(Listing(_operation, _member, dict.fromkeys(_ids.split(), ""), None, _missing))(_none)

describes(Listing("DescribeTags", "Tags", {}, None))(_none)
