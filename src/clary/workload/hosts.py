"""The hosts of a training job: ResourceConfig as names, and resourceconfig.json
(https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clary.compute.base import Network
from clary.instances import Shape, shape

LOOPBACK = "lo"
"""The interface that every container has."""

INTERFACE = "eth0"
"""The interface of a container that is one of several."""

_ACCELERATED = ("ml.p", "ml.g", "ml.trn")

_ONLY_GROUP = "homogeneousCluster"


@dataclass(frozen=True)
class Host:
    """One instance of a job."""

    index: int
    name: str
    """`algo-1`, `algo-2`, …, through all groups."""
    instance_type: str
    group: str

    @property
    def accelerated(self) -> bool:
        """Whether it is of a family of GPUs or AWS's own chips for training."""
        return self.instance_type.startswith(_ACCELERATED)

    @property
    def shape(self) -> Shape:
        """What its instance type has."""
        return shape(self.instance_type)


def hosts_of(spec: Mapping[str, Any]) -> list[Host]:
    """All hosts that CreateTrainingJob's ResourceConfig asks for, group by group."""
    resources = spec.get("ResourceConfig", {})
    groups = resources.get("InstanceGroups") or [
        {
            "InstanceGroupName": _ONLY_GROUP,
            "InstanceType": resources.get("InstanceType", ""),
            "InstanceCount": resources.get("InstanceCount", 1),
        }
    ]
    kinds = [(group["InstanceGroupName"], group["InstanceType"]) for group in groups for _ in range(_count(group))]
    return [Host(number, host_name(number), kind, group) for number, (group, kind) in enumerate(kinds)]


def host_name(index: int) -> str:
    """Of the host with this index, from 0."""
    return f"algo-{index + 1}"


def _count(group: Mapping[str, Any]) -> int:
    return int(group["InstanceCount"])


def network(job: str, hosts: Sequence[Host]) -> Network | None:
    """The network of a job's hosts; a single one needs none."""
    return Network(job, tuple(host.name for host in hosts)) if len(hosts) > 1 else None


def resource_config(hosts: Sequence[Host], current: Host) -> dict[str, Any]:
    """resourceconfig.json of one host."""
    groups = dict.fromkeys((host.group, host.instance_type) for host in hosts)
    return {
        "current_host": current.name,
        "current_instance_type": current.instance_type,
        "current_group_name": current.group,
        "hosts": [host.name for host in hosts],
        "instance_groups": [
            {
                "instance_group_name": group,
                "instance_type": kind,
                "hosts": [host.name for host in hosts if host.group == group],
            }
            for group, kind in groups
        ],
        "network_interface_name": interface(hosts),
    }


def interface(hosts: Sequence[Host]) -> str:
    """The network interface by which hosts reach one another."""
    return INTERFACE if len(hosts) > 1 else LOOPBACK
