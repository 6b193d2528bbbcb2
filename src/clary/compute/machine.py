"""What this machine has for work."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from clary.compute.base import Limits
from clary.instances import Shape
from clary.settings import Capacity

_GPU = "/dev/nvidia[0-9]*"
_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def machine(capacity: Capacity) -> Shape:
    """What one instance can have at most: the machine, or what of it is for jobs."""
    return Shape(
        cpus=capacity.cores or len(os.sched_getaffinity(0)),
        memory_bytes=capacity.memory_bytes or _memory_bytes(),
        gpus=len(glob.glob(_GPU)),  # noqa: PTH207  the pattern is absolute
    )


def given_away(capacity: Capacity) -> Shape:
    """What all instances together may reserve: GPUs are nobody else's, of cores and memory little is in use at once."""
    one = machine(capacity)
    return Shape(
        cpus=round(one.cpus * capacity.overcommit),
        memory_bytes=round(one.memory_bytes * capacity.overcommit),
        gpus=one.gpus,
    )


def limits_of(instance: Shape, one: Shape, volume_gb: int | None = None) -> Limits:
    """What a container on such an instance may use, as far as `one` (the machine) reaches; `volume_gb` of disk."""
    return Limits(
        cpus=min(instance.cpus, one.cpus),
        memory_bytes=min(instance.memory_bytes, one.memory_bytes),
        gpus=min(instance.gpus, one.gpus),
        disk_bytes=volume_gb * 2**30 if volume_gb else None,
    )


def _memory_bytes() -> int:
    """The machine's, or what its container allows where Clary runs in one."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in map(Path, _CGROUP_LIMITS):
        if path.is_file():
            text = path.read_text().strip()
            total = min(total, int(text)) if text.isdigit() else total
    return total
