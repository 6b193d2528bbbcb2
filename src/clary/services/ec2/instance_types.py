"""DescribeInstanceTypes and where they are offered: those that jobs and endpoints can be asked on
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypes.html)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from clary import instances
from clary.errors import AWSError
from clary.services.context import Context
from clary.services.ec2.listing import Listing, describes
from clary.services.ec2.regions import zones
from clary.services.resources import Params
from clary.wire import models

_MIB = 2**20
_PREFIX = "ml."
_ARM = re.compile(r"[a-z]+[0-9]+g[a-z]*\Z")
"""Families with Graviton processors: `m6g`, `c6gn`; not `g4dn`, whose g stands first."""


@cache
def known() -> tuple[str, ...]:
    """Types of SageMaker's that are EC2's too, by name."""
    model = models.load("sagemaker")
    enums = [
        set(model.shape_for(name).metadata["enum"])
        for name in ("TrainingInstanceType", "ProductionVariantInstanceType")
    ]
    offered = {name.removeprefix(_PREFIX) for names in enums for name in names if instances.known(name)}
    return tuple(sorted(offered.intersection(models.load("ec2").shape_for("InstanceType").metadata["enum"])))


def _described(name: str) -> dict[str, Any]:
    """What is known of it; of its disks and network nothing is."""
    shape = instances.shape(f"{_PREFIX}{name}")
    arm = _ARM.match(name.partition(".")[0]) is not None
    return {
        "InstanceType": name,
        "BareMetal": False,
        "ProcessorInfo": {"SupportedArchitectures": ["arm64" if arm else "x86_64"]},
        "VCpuInfo": {"DefaultVCpus": shape.cpus},
        "MemoryInfo": {"SizeInMiB": shape.memory_bytes // _MIB},
        **({"GpuInfo": {"Gpus": [{"Manufacturer": "NVIDIA", "Count": shape.gpus}]}} if shape.gpus else {}),
    }


def _no_type(name: str) -> AWSError:
    return AWSError("InvalidInstanceType", f"The following supplied instance types do not exist: [{name}]")


@describes(
    Listing(
        "DescribeInstanceTypes",
        "InstanceTypes",
        {"InstanceTypes": "InstanceType"},
        {
            "bare-metal": "BareMetal",
            "instance-type": "InstanceType",
            "memory-info.size-in-mib": "MemoryInfo.SizeInMiB",
            "processor-info.supported-architecture": "ProcessorInfo.SupportedArchitectures",
            "vcpu-info.default-vcpus": "VCpuInfo.DefaultVCpus",
        },
        _no_type,
    )
)
def describe_instance_types(_context: Context, _params: Params) -> Sequence[Mapping[str, Any]]:
    """Cores, memory and GPUs of each."""
    return [_described(name) for name in known()]


@describes(
    Listing(
        "DescribeInstanceTypeOfferings",
        "InstanceTypeOfferings",
        {},
        {"instance-type": "InstanceType", "location": "Location"},
    )
)
def describe_instance_type_offerings(context: Context, params: Params) -> Sequence[Mapping[str, Any]]:
    """Each in the region, or in each of its zones; on no outpost."""
    kind = params.get("LocationType", "region")
    places = {
        "region": [context.region],
        "availability-zone": [name for name, _ in zones(context.region)],
        "availability-zone-id": [zone_id for _, zone_id in zones(context.region)],
    }
    return [
        {"InstanceType": name, "LocationType": kind, "Location": place}
        for place in places.get(kind, ())
        for name in known()
    ]
