"""Percentages of instances, from what containers use; and which containers belong to which instance."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from clary.compute.base import Usage
from clary.controllers.utilization import Gauge, data, gauges, later, values
from clary.instances import GIB, Shape
from clary.lifecycles.endpoint import leaving_name
from clary.store.rows import Key, Row
from tests.unit.controllers.endpoints import NOW, deployment, endpoint, variant

MACHINE = Shape(cpus=16, memory_bytes=64 * GIB)
DISK = 100 * GIB
CPU, MEMORY, DISK_USE = "CPUUtilization", "MemoryUtilization", "DiskUtilization"
GAUGE = Gauge("0", "r", "n", (), (CPU, MEMORY, DISK_USE), ("a",), cpus=2, memory_bytes=1000, disk_bytes=4000)


def usage(seconds=600.0, cpu=0.0, memory=0, disk=0):
    return Usage(seconds, cpu, memory, disk)


def cpu_of(before, now, gauge=GAUGE):
    return values(gauge, {"a": before} if before else {}, {"a": now}).get(CPU)


def test_two_busy_cores_are_two_hundred_percent():
    assert cpu_of(usage(600, 1000), usage(660, 1120)) == 200.0
    assert cpu_of(usage(600, 1000), usage(660, 1015)) == 25.0


def test_memory_and_disk_are_parts_of_the_instances():
    assert values(GAUGE, {}, {"a": usage(memory=250, disk=1000)}) == {MEMORY: 25.0, DISK_USE: 25.0}


def test_no_more_than_there_is_and_no_less_than_nothing():
    assert cpu_of(usage(600, 1000), usage(660, 2000)) == 200.0
    assert cpu_of(usage(600, 1000), usage(660, 990)) == 0.0
    assert values(GAUGE, {}, {"a": usage(memory=3000, disk=2**62)}) == {MEMORY: 100.0, DISK_USE: 100.0}


def test_a_young_container_was_busy_since_it_began_and_of_an_old_one_nobody_knows():
    assert cpu_of(None, usage(30, 15)) == 50.0
    assert cpu_of(None, usage(3600, 15)) is None


@pytest.mark.parametrize("seconds", [600, 30], ids=["at once", "begun anew, or a clock put back"])
def test_without_time_in_between_nothing_is_known_of_its_cores(seconds):
    assert cpu_of(usage(600, 10), usage(seconds, 20)) is None


def test_an_ended_container_has_no_metrics():
    assert values(GAUGE, {"a": usage()}, {}) == {}


def test_a_disk_that_was_not_counted_is_left_out():
    assert values(GAUGE, {}, {"a": usage(memory=10, disk=None)}) == {MEMORY: 1.0}


def test_the_containers_of_an_instance_are_added_up_as_far_as_they_run():
    both = replace(GAUGE, containers=("a", "b", "gone"))
    before = {"a": usage(600, 0), "b": usage(600, 0), "gone": usage(600, 0)}
    now = {"a": usage(660, 30, 100, 400), "b": usage(660, 60, 200, None)}
    assert values(both, before, now) == {CPU: 150.0, MEMORY: 30.0, DISK_USE: 10.0}


def test_what_is_normalized_is_of_all_cores_together():
    share = replace(GAUGE, metrics=("CPUUtilizationNormalized", "MemoryUtilizationNormalized"))
    found = values(share, {"a": usage(600, 0)}, {"a": usage(660, 60, 500)})
    assert found == {"CPUUtilizationNormalized": 50.0, "MemoryUtilizationNormalized": 50.0}


def test_a_process_that_was_missed_once_is_not_counted_twice():
    first = usage(600, 100)
    missed = later(first, usage(660, 40))
    assert cpu_of(missed, usage(720, 130)) == 50.0
    assert later(first, usage(5, 1)) == usage(5, 1)  # it is another one
    assert later(None, first) == first


def test_points_are_those_of_put_metric_data():
    [point] = data(replace(GAUGE, dimensions=(("Host", "j/algo-1"),)), {CPU: 12.5}, 60)
    assert point == {
        "MetricName": CPU,
        "Dimensions": [{"Name": "Host", "Value": "j/algo-1"}],
        "Timestamp": datetime.fromtimestamp(60, UTC),
        "Unit": "Percent",
        "Value": 12.5,
    }


# -- whose containers they are


def replica(*containers):
    return {"members": [{"container": name, "position": number} for number, name in enumerate(containers)]}


def told(row, machine=MACHINE):
    """(namespace, dimensions, containers) of each."""
    return [(gauge.namespace, dict(gauge.dimensions), gauge.containers) for gauge in gauges(row, machine, DISK)]


def test_each_replica_of_a_variant_is_an_instance():
    row = endpoint(current=deployment(variant(replicas=[replica("a"), replica("b")])))
    named = {"EndpointName": "e", "VariantName": "v"}
    assert told(row) == [("/aws/sagemaker/Endpoints", named, ("a",)), ("/aws/sagemaker/Endpoints", named, ("b",))]
    assert {gauge.metrics for gauge in gauges(row, MACHINE, DISK)} == {(CPU, MEMORY, DISK_USE)}


def test_a_replica_that_two_deployments_share_is_one():
    current = deployment(variant(replicas=[replica("a")]))
    coming = deployment(variant(weight=2.0, replicas=[replica("a"), replica("b")]))
    assert [containers for *_, containers in told(endpoint(current=current, next=coming))] == [("a",), ("b",)]


def test_several_containers_of_an_instance_are_measured_together_and_each_by_itself():
    row = endpoint(current=deployment(variant(images=("i", "j"), replicas=[replica("a", "b")])))
    whole, first, second = gauges(row, MACHINE, DISK)
    assert (whole.containers, first.containers, second.containers) == (("a", "b"), ("a",), ("b",))
    assert dict(first.dimensions) == {"EndpointName": "e", "VariantName": "v", "ContainerName": "container-1"}
    assert second.metrics == (CPU, MEMORY)


def test_an_instance_is_no_larger_than_the_machine():
    row = endpoint(current=deployment(variant(instance_type="ml.m5.xlarge", replicas=[replica("a")])))
    [gauge] = gauges(row, MACHINE, DISK)
    assert (gauge.cpus, gauge.memory_bytes, gauge.disk_bytes) == (4, 16 * GIB, DISK)
    [gauge] = gauges(row, Shape(2, GIB), DISK)
    assert (gauge.cpus, gauge.memory_bytes) == (2, GIB)


def test_a_serverless_variant_has_its_memory_only():
    asked = variant(replicas=[replica("a")], serverless={"memory_mb": 2048})
    del asked["instance_type"]
    [gauge] = gauges(endpoint(current=deployment(asked)), MACHINE, DISK)
    assert (gauge.metrics, gauge.memory_bytes) == ((MEMORY,), 2 * GIB)


def test_a_copy_of_an_inference_component_is_compared_with_what_it_takes():
    demand = {"millicores": 1500, "memory_mb": 512, "most_memory_mb": 1024, "accelerators": 0}
    row = endpoint(current=deployment(variant(demand=demand, endpoint="e", replicas=[replica("a")])))
    [gauge] = gauges(replace(row, key=replace(row.key, kind="inference-component", name="c")), MACHINE, DISK)
    assert (gauge.namespace, gauge.dimensions) == (
        "/aws/sagemaker/InferenceComponents",
        (("InferenceComponentName", "c"),),
    )
    assert (gauge.cpus, gauge.memory_bytes) == (2, GIB)


def test_without_containers_there_is_nothing_to_measure():
    assert told(endpoint(current=deployment(variant(replicas=[replica()])))) == []
    assert told(endpoint()) == []


def test_a_deleted_endpoints_containers_are_nobodys():
    row = endpoint(current=deployment(variant(replicas=[replica("a")])), target="Deleted")
    assert told(replace(row, key=replace(row.key, name=leaving_name("e", "1")))) == []


def job(kind, spec, **state):
    made = datetime.fromtimestamp(NOW, UTC)
    return Row(Key(kind, "0", "r", "j"), "arn", "Training", made, made, spec, state, "Completed")


def test_each_host_of_a_training_job_is_an_instance_with_a_volume_of_its_own():
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 30}
    row = job("training-job", {"ResourceConfig": resources}, containers=["a", "b"])
    assert told(row) == [
        ("/aws/sagemaker/TrainingJobs", {"Host": "j/algo-1"}, ("a",)),
        ("/aws/sagemaker/TrainingJobs", {"Host": "j/algo-2"}, ("b",)),
    ]
    assert {gauge.disk_bytes for gauge in gauges(row, MACHINE, DISK)} == {30 * GIB}
    assert {gauge.disk_bytes for gauge in gauges(row, MACHINE, GIB)} == {GIB}
    assert told(job("training-job", {"ResourceConfig": resources})) == []


def test_each_instance_of_a_transform_job_is_named_as_its_log_streams_are():
    resources = {"TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 2}}
    streams = [f"j/i-0{name}-1700000000/container-{number}" for name in "ab" for number in (1, 2)]
    several = {"containers": ["a", "b", "c", "d"], "log_streams": streams}
    row = job("transform-job", resources, container_definitions=[{"Image": "i"}] * 2, **several)
    assert told(row) == [
        ("/aws/sagemaker/TransformJobs", {"Host": "j/i-0a"}, ("a", "b")),
        ("/aws/sagemaker/TransformJobs", {"Host": "j/i-0b"}, ("c", "d")),
    ]
    assert {gauge.metrics for gauge in gauges(row, MACHINE, DISK)} == {(CPU, MEMORY)}
    assert told(job("transform-job", resources, container_definitions=[{"Image": "i"}])) == []
