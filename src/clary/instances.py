"""What an instance type has: cores, memory, accelerators.

Sizes follow a rule (a `large` has two cores, an `xlarge` four, an `Nxlarge` four times N; a family has so much memory
for each core), but for older and accelerated families, which stand here one by one.
Source: https://docs.aws.amazon.com/ec2/latest/instancetypes/ and https://aws.amazon.com/sagemaker/ai/pricing/.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

GIB = 2**30


@dataclass(frozen=True)
class Shape:
    """One instance."""

    cpus: int
    memory_bytes: int
    gpus: int = 0
    """GPUs of NVIDIA's; Inferentia, Trainium and Gaudi are none."""


FALLBACK = Shape(4, 16 * GIB)
"""For a type that is not known yet: an `ml.m5.xlarge`."""

_TYPE = re.compile(r"ml\.(?P<family>[a-z0-9-]+)\.(?P<size>[a-z0-9]+)\Z")
_SIZE = re.compile(r"(?P<times>[0-9]*)xlarge\Z")
_SMALL = {"nano": 1, "micro": 1, "small": 1, "medium": 1, "large": 2}

_PER_CORE: Mapping[str, float] = {"c": 2, "m": 4, "r": 8, "t": 4, "i": 8, "g": 4, "inf": 4, "trn": 4, "dl": 8, "p": 8}
"""GiB for each core, by the letters that a family begins with."""
_FAMILY_PER_CORE: Mapping[str, float] = {"c4": 1.875, "c5n": 2.625, "g6e": 8, "g7e": 8, "gr6": 8, "inf1": 2}

_ONE_BY_ONE: Mapping[str, tuple[int, float, int]] = {
    "c4.8xlarge": (36, 60, 0),
    "c5n.9xlarge": (36, 96, 0),
    "c5n.18xlarge": (72, 192, 0),
    "t2.medium": (2, 4, 0),
    "t3.micro": (2, 1, 0),
    "t3.small": (2, 2, 0),
    "t3.medium": (2, 4, 0),
    "p2.xlarge": (4, 61, 1),
    "p2.8xlarge": (32, 488, 8),
    "p2.16xlarge": (64, 732, 16),
    "p3.2xlarge": (8, 61, 1),
    "p3.8xlarge": (32, 244, 4),
    "p3.16xlarge": (64, 488, 8),
    "p3dn.24xlarge": (96, 768, 8),
    "p4d.24xlarge": (96, 1152, 8),
    "p4de.24xlarge": (96, 1152, 8),
    "p5.4xlarge": (16, 256, 1),
    "p5.48xlarge": (192, 2048, 8),
    "p5e.48xlarge": (192, 2048, 8),
    "p5en.48xlarge": (192, 2048, 8),
    "p6-b200.48xlarge": (192, 2048, 8),
    "p6-b300.48xlarge": (192, 4096, 8),
    "p6e-gb200.36xlarge": (144, 960, 4),
    "trn2.3xlarge": (12, 128, 0),
    "trn2.48xlarge": (192, 2048, 0),
}
"""Cores, GiB, GPUs of those that follow no rule."""

_GPUS: Mapping[str, Mapping[str, int]] = {
    "g4dn": {"12xlarge": 4},
    "g5": {"12xlarge": 4, "24xlarge": 4, "48xlarge": 8},
    "g6": {"12xlarge": 4, "24xlarge": 4, "48xlarge": 8},
    "g6e": {"12xlarge": 4, "24xlarge": 4, "48xlarge": 8},
    "g7": {"12xlarge": 2, "24xlarge": 4, "48xlarge": 8},
    "g7e": {"12xlarge": 2, "24xlarge": 4, "48xlarge": 8},
    "gr6": {},
}
"""Sizes of GPU families that have not one GPU."""


_MB_PER_CPU = 1769
_FEWEST_CPUS = 2


def known(instance_type: str) -> bool:
    """Whether `shape` knows it, or answers with FALLBACK."""
    return _shape(instance_type) is not None


def shape(instance_type: str) -> Shape:
    """Of a type such as `ml.m5.large`; FALLBACK for one that is not known."""
    return _shape(instance_type) or FALLBACK


def serverless_shape(memory_mb: int) -> Shape:
    """Of a serverless endpoint's replica: cores come with memory, as those of the functions do that AWS runs it on; the
    smallest sees two as well, since held to one it would wait for whoever else is there
    (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html)."""
    return Shape(max(_FEWEST_CPUS, math.ceil(memory_mb / _MB_PER_CPU)), memory_mb * 2**20)


def _shape(instance_type: str) -> Shape | None:
    found = _TYPE.match(instance_type)
    if found is None:
        return None
    family, size = found["family"], found["size"]
    if f"{family}.{size}" in _ONE_BY_ONE:
        cpus, gib, gpus = _ONE_BY_ONE[f"{family}.{size}"]
        return Shape(cpus, int(gib * GIB), gpus)
    return _by_rule(family, size)


def _by_rule(family: str, size: str) -> Shape | None:
    cpus, per_core = _cpus(size), _per_core(family)
    if cpus is None or per_core is None:
        return None
    gpus = _GPUS[family].get(size, 1) if family in _GPUS else 0
    return Shape(cpus, int(cpus * per_core * GIB), gpus)


def _cpus(size: str) -> int | None:
    found = _SIZE.match(size)
    if found:
        return 4 * int(found["times"] or 1)
    return _SMALL.get(size)


def _per_core(family: str) -> float | None:
    letters = re.match(r"[a-z]+", family)
    return _FAMILY_PER_CORE.get(family) or (_PER_CORE.get(letters[0]) if letters else None)
