"""How busy instances are: what their containers use, as percentages of what an instance has
(https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html).

Cores count one by one: two busy ones are 200 %. The copies of an inference component are compared with what they take
of an instance, all cores together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from clary.compute.base import Usage
from clary.controllers.endpoint_seen import deployments
from clary.instances import Shape, shape
from clary.lifecycles import endpoint, inference_component, training_job, transform_job
from clary.lifecycles.endpoint import DELETED, Replica, Variant
from clary.names import container_names
from clary.store.rows import Row
from clary.workload.hosting import size_of
from clary.workload.hosts import hosts_of
from clary.workload.transform_job import instance_streams, instances

JOBS: Mapping[str, tuple[str, ...]] = {
    training_job.KIND: (training_job.TRAINING, training_job.STOPPING),
    transform_job.KIND: (transform_job.TRANSFORMING, transform_job.STOPPING),
}
"""Kinds of jobs, and the statuses in which their containers run."""

HOSTING = (endpoint.KIND, inference_component.KIND)
"""Kinds that have replicas."""

FRESH_SECONDS = 120.0
"""Of a container that is older nobody knows, at the first look, when it was busy."""

_CPU, _MEMORY, _DISK = "CPUUtilization", "MemoryUtilization", "DiskUtilization"
_CPU_SHARE, _MEMORY_SHARE = "CPUUtilizationNormalized", "MemoryUtilizationNormalized"

_SERVERLESS = (_MEMORY,)
"""All there is: https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-monitoring.html"""

Dimensions = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Gauge:
    """What is measured together: the containers of one instance, or one of these."""

    account: str
    region: str
    namespace: str
    dimensions: Dimensions
    metrics: tuple[str, ...]
    containers: tuple[str, ...]
    cpus: int
    memory_bytes: int
    disk_bytes: int


def gauges(row: Row, machine: Shape, disk_bytes: int) -> list[Gauge]:
    """Those of a job, an endpoint or an inference component. No instance has more than `machine`, nor a larger disk."""
    found = _BY_KIND[row.key.kind](row, machine, disk_bytes)
    return [] if row.target == DELETED else list(found)


def _gauge(row: Row, namespace: str, size: Shape, machine: Shape, disk_bytes: int) -> Gauge:
    """One that has yet to be told what it measures."""
    cpus, memory = min(size.cpus, machine.cpus), min(size.memory_bytes, machine.memory_bytes)
    return Gauge(row.key.account, row.key.region, namespace, (), (), (), cpus, memory, disk_bytes)


def _of_training(row: Row, machine: Shape, disk_bytes: int) -> Iterator[Gauge]:
    volume = min(disk_bytes, row.spec["ResourceConfig"].get("VolumeSizeInGB", 0) * 2**30 or disk_bytes)
    for host, container in zip(hosts_of(row.spec), row.state.get("containers", ()), strict=False):
        whole = _gauge(row, "/aws/sagemaker/TrainingJobs", host.shape, machine, volume)
        named = (("Host", f"{row.key.name}/{host.name}"),)
        yield replace(whole, dimensions=named, metrics=(_CPU, _MEMORY, _DISK), containers=(container,))


def _of_transform(row: Row, machine: Shape, disk_bytes: int) -> Iterator[Gauge]:
    size = shape(row.spec["TransformResources"]["InstanceType"])
    whole = _gauge(row, "/aws/sagemaker/TransformJobs", size, machine, disk_bytes)
    if not row.state.get("containers"):
        return
    for stream, containers in zip(instance_streams(row), instances(row), strict=True):
        named = (("Host", stream.rpartition("-")[0]),)  # a stream's name ends with its time
        yield replace(whole, dimensions=named, metrics=(_CPU, _MEMORY), containers=tuple(containers))


def _of_endpoint(row: Row, machine: Shape, disk_bytes: int) -> Iterator[Gauge]:
    for variant, replica in _replicas(row):
        whole = _gauge(row, "/aws/sagemaker/Endpoints", size_of(variant), machine, disk_bytes)
        named = (("EndpointName", row.key.name), ("VariantName", variant["name"]))
        metrics = _SERVERLESS if "serverless" in variant else (_CPU, _MEMORY, _DISK)
        containers = tuple(member["container"] for member in replica["members"])
        yield replace(whole, dimensions=named, metrics=metrics, containers=containers)
        if len(containers) > 1:
            yield from _each(replace(whole, dimensions=named), variant, replica)


def _each(whole: Gauge, variant: Variant, replica: Replica) -> Iterator[Gauge]:
    """Containers by themselves: https://docs.aws.amazon.com/sagemaker/latest/dg/multi-container-metrics.html"""
    names = container_names(variant["container_definitions"])
    for member in replica["members"]:
        named = (*whole.dimensions, ("ContainerName", names[member["position"]]))
        yield replace(whole, dimensions=named, metrics=(_CPU, _MEMORY), containers=(member["container"],))


def _of_component(row: Row, machine: Shape, disk_bytes: int) -> Iterator[Gauge]:
    for variant, replica in _replicas(row):
        whole = _gauge(row, "/aws/sagemaker/InferenceComponents", size_of(variant), machine, disk_bytes)
        named = (("InferenceComponentName", row.key.name),)
        containers = tuple(member["container"] for member in replica["members"])
        yield replace(whole, dimensions=named, metrics=(_CPU_SHARE, _MEMORY_SHARE), containers=containers)


def _replicas(row: Row) -> Iterator[tuple[Variant, Replica]]:
    """Each that has containers, once: deployments share replicas where only weights or counts change."""
    known: set[str] = set()
    for deployment in deployments(row):
        for variant in deployment["variants"]:
            for replica in variant.get("replicas", []):
                if replica["members"] and replica["members"][0]["container"] not in known:
                    known.add(replica["members"][0]["container"])
                    yield variant, replica


_BY_KIND = {
    training_job.KIND: _of_training,
    transform_job.KIND: _of_transform,
    endpoint.KIND: _of_endpoint,
    inference_component.KIND: _of_component,
}


def values(gauge: Gauge, before: Mapping[str, Usage], now: Mapping[str, Usage]) -> dict[str, float]:
    """Its metrics in percent, by what was used `before` and `now`, by container; none where no container runs, and no
    metric of which nothing is known."""
    running = [container for container in gauge.containers if container in now]
    rates = [_rate(before.get(container), now[container]) for container in running]
    disks = [now[container].disk_bytes for container in running]
    cores = _sum(rates)
    found = {
        _CPU: _percent(cores, 1, gauge.cpus),
        _CPU_SHARE: _percent(cores, gauge.cpus),
        _MEMORY: _percent(_sum([now[container].memory_bytes for container in running]), gauge.memory_bytes),
        _DISK: _percent(_sum(disks), gauge.disk_bytes),
    }
    found[_MEMORY_SHARE] = found[_MEMORY]
    known = {name: found[name] for name in gauge.metrics}
    return {name: value for name, value in known.items() if value is not None}


def _rate(before: Usage | None, now: Usage) -> float | None:
    """Cores that were busy since then; of a young container, since it began."""
    if before is None:
        return now.cpu_seconds / now.seconds if 0 < now.seconds <= FRESH_SECONDS else None
    elapsed = now.seconds - before.seconds
    return (now.cpu_seconds - before.cpu_seconds) / elapsed if elapsed > 0 else None


def _sum(parts: list[float | None] | list[int | None] | list[int]) -> float | None:
    """Of those that are known."""
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def _percent(used: float | None, whole: float, most: int = 1) -> float | None:
    """No more than `most` times 100: clocks and counters are not read at the same instant."""
    return None if used is None else max(0.0, min(100.0 * most, 100.0 * used / whole))


def later(before: Usage | None, now: Usage) -> Usage:
    """What is to be compared with next. A process that ends while it is looked at is missed once, and counted by its
    parent the next time: what was computed never becomes less."""
    if before is None or now.seconds < before.seconds:
        return now
    return replace(now, cpu_seconds=max(before.cpu_seconds, now.cpu_seconds))


def data(gauge: Gauge, measured: Mapping[str, float], second: int) -> list[dict[str, Any]]:
    """MetricData of PutMetricData."""
    dimensions = [{"Name": name, "Value": value} for name, value in gauge.dimensions]
    at = datetime.fromtimestamp(second, UTC)
    return [
        {"MetricName": name, "Dimensions": dimensions, "Timestamp": at, "Unit": "Percent", "Value": value}
        for name, value in measured.items()
    ]
