"""What controllers are put together from: parts of other packages, and what several controllers share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from clary.compute.base import Backend, Dial
from clary.compute.machine import given_away, machine
from clary.controllers.activities import Activities
from clary.controllers.capacity import Capacity
from clary.controllers.container import Containers
from clary.controllers.health import HealthGate
from clary.controllers.hook_effects import Acting
from clary.controllers.logs import Invoke, Logs
from clary.hooks.workload import HookWorkload
from clary.serving.routes import RouteTable
from clary.settings import Settings
from clary.store import Store
from clary.store.rows import Key
from clary.telemetry.series import SeriesStore
from clary.workload.functions.environments import FunctionWorkload
from clary.workload.runtimes import Runtimes
from clary.workload.storage import Storage

Wake = Callable[[Key], None]


@dataclass(frozen=True)
class Parts:
    """Of other packages."""

    settings: Settings
    store: Store
    storage: Storage
    runtimes: Runtimes
    backend: Backend
    dial: Dial
    functions: FunctionWorkload
    hooks: HookWorkload
    invoke: Invoke
    acting: Acting
    series: SeriesStore


@dataclass(frozen=True)
class Shared:
    """By several controllers of one process."""

    wake: Wake
    activities: Activities
    health: HealthGate
    containers: Containers
    routes: RouteTable
    logs: Logs
    capacity: Capacity
    """Who has a place on this machine, and who waits for one."""

    @classmethod
    def of(cls, parts: Parts, wake: Wake) -> Shared:
        """Made once; threads of `health` run from now on."""
        settings = parts.settings
        return cls(
            wake=wake,
            activities=Activities(wake),
            health=HealthGate(parts.dial, wake),
            containers=Containers(parts.backend, settings.run_dir, wake),
            routes=RouteTable(settings.run_dir),
            logs=Logs(parts.invoke),
            capacity=Capacity(machine(settings.capacity), given_away(settings.capacity), wake),
        )
