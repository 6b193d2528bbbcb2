"""What endpoints cost that nobody asks: memory of each, and how long the next one takes to be there."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving.endpoints import BUILD_SECONDS, Api
from benchmarks.serving.models import Models
from clary.compute import record
from clary.settings import Settings
from tests.processes import bytes_of, family
from tests.running import RunningClary

COUNT = 200
MODEL = "logistic"
_TIMED = 15
"""So many are created one after the other; the others at once."""
_ALL_SECONDS = 300


@dataclass(frozen=True)
class Idle:
    """Of endpoints with one replica each."""

    seconds: list[float]
    """From CreateEndpoint to InService, where the environment's warm parent runs."""
    mib: tuple[float, float, float]
    """What one replica takes: its shim, its PID 1, and the model server in it. Proportional set sizes: what processes
    share is divided among them."""


def measure(models: Models, folder: Path, program: Path) -> Idle:
    """Start so many, by the `clary` that is `program`, and look."""
    with RunningClary(folder / "data", program=program) as clary:
        api = Api(clary, models)
        _deploy(api, "first")
        seconds = [_deploy(api, f"timed-{number}") for number in range(_TIMED)]
        rest = [f"idle-{number}" for number in range(COUNT - _TIMED - 1)]
        for name in rest:
            api.deploy(name, MODEL)
        for name in rest:
            api.in_service(name, _ALL_SECONDS)
        return Idle(seconds, _memory(folder / "data"))


def _deploy(api: Api, name: str) -> float:
    began = time.perf_counter()
    api.deploy(name, MODEL)
    api.in_service(name, BUILD_SECONDS)
    return time.perf_counter() - began


def _memory(data_dir: Path) -> tuple[float, float, float]:
    """Each container's shim begins a family of processes."""
    found = [0, 0, 0]
    for folder in Settings(data_dir=data_dir).containers_dir.iterdir():
        handle = record.read(str(folder), record.HANDLE)
        for depth, pid in family(handle["pid"]) if handle else ():
            found[min(depth, 2)] += bytes_of(pid, "Pss")
    shim, first, server = (size / COUNT / 2**20 for size in found)
    return shim, first, server
