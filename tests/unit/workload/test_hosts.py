"""ResourceConfig as hosts, and what each of them is told."""

from __future__ import annotations

import pytest

from clary.instances import shape
from clary.workload.hosts import hosts_of, interface, network, resource_config

GROUPS = [
    {"InstanceGroupName": "data", "InstanceType": "ml.c5.xlarge", "InstanceCount": 2},
    {"InstanceGroupName": "learn", "InstanceType": "ml.g5.xlarge", "InstanceCount": 1},
]


def hosts(**resources):
    return hosts_of({"ResourceConfig": resources})


def test_one_host_needs_no_network():
    [host] = hosts(InstanceType="ml.m5.large", InstanceCount=1)
    assert (host.name, host.group, host.shape) == ("algo-1", "homogeneousCluster", shape("ml.m5.large"))
    assert network("job", [host]) is None
    assert interface([host]) == "lo"


def test_hosts_of_groups_are_counted_through():
    found = hosts(InstanceGroups=GROUPS)
    assert [(host.name, host.group) for host in found] == [("algo-1", "data"), ("algo-2", "data"), ("algo-3", "learn")]
    assert [host.accelerated for host in found] == [False, False, True]
    assert network("job", found).hosts == ("algo-1", "algo-2", "algo-3")


def test_each_host_is_told_who_it_is_and_who_the_others_are():
    """As the training toolkit reads it."""
    found = hosts(InstanceGroups=GROUPS)
    told = resource_config(found, found[2])
    assert told == {
        "current_host": "algo-3",
        "current_instance_type": "ml.g5.xlarge",
        "current_group_name": "learn",
        "hosts": ["algo-1", "algo-2", "algo-3"],
        "instance_groups": [
            {"instance_group_name": "data", "instance_type": "ml.c5.xlarge", "hosts": ["algo-1", "algo-2"]},
            {"instance_group_name": "learn", "instance_type": "ml.g5.xlarge", "hosts": ["algo-3"]},
        ],
        "network_interface_name": "eth0",
    }


@pytest.mark.parametrize("kind", ["ml.p3.2xlarge", "ml.g4dn.xlarge", "ml.trn1.2xlarge"])
def test_accelerated_families(kind):
    [host] = hosts(InstanceType=kind, InstanceCount=1)
    assert host.accelerated
