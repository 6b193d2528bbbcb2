"""All controllers of one control process, put together."""

from __future__ import annotations

import time
from collections.abc import Mapping

from clary.alarms.rows import KIND as ALARM_KIND
from clary.controllers.container import RETIRE_KIND
from clary.controllers.groups import (
    Controller,
    FunctionControllers,
    JobControllers,
    LogControllers,
    ServingControllers,
    WatchingControllers,
)
from clary.controllers.hook_effects import HookController
from clary.controllers.key_effects import KeyController
from clary.controllers.loop import Loop
from clary.controllers.parts import Parts, Shared
from clary.keys.rows import KIND as KEY_KIND
from clary.keys.secrets import KIND as SECRET_KIND
from clary.lifecycles import endpoint, hook_run, inference_component, training_job
from clary.store.rows import Key


class Controllers:
    """Made once by control; `wake` may be called before `start` (operations are then done as soon as it is)."""

    def __init__(self, parts: Parts) -> None:
        self._loop = Loop()
        self._shared = shared = Shared.of(parts, self.wake)
        self._jobs = JobControllers(parts, shared)
        self._serving = ServingControllers(parts, shared)
        self._functions = FunctionControllers(parts, shared)
        self._watching = WatchingControllers(parts, shared)
        self._logs = LogControllers(parts, shared)
        self._keys = KeyController(parts.settings, parts.store, parts.invoke, self.wake)
        self.hooks = HookController(
            parts.settings, parts.store, parts.hooks, shared.activities, shared.logs, parts.invoke, parts.acting
        )
        self.capacity = shared.capacity
        """Who has a place on this machine, and who waits for one."""
        self.models = self._serving.models
        """Where models of multi-model endpoints are loaded."""
        self.serverless = self._serving.serverless
        """Where edges say how many replicas serverless variants need."""
        self.environments = self._functions.environments
        """Where functions are invoked."""

    def wake(self, key: Key) -> None:
        """A row has changed; kinds that need no controller are nothing."""
        if key.kind == training_job.KIND:
            self.capacity.announce(key, time.time())
        if key.kind == ALARM_KIND:
            self._watching.alarms.announce(key)
        if key.kind in (endpoint.KIND, inference_component.KIND):
            for target in self._watching.scaling.targets_of(key):
                self._loop.wake(target)
        self._loop.wake(key)

    def start(self) -> None:
        """Publish the routes, take up what is unfinished, and end the containers that no row names."""
        controllers = self._by_kind()
        for key in [key for controller in dict.fromkeys(controllers.values()) for key in controller.resume()]:
            self._loop.wake(key)
        containers = self._shared.containers
        containers.watch()
        containers.retire_all_but(self._wanted_containers, self._shared.routes.generation)
        self._loop.start({**controllers, RETIRE_KIND: containers})
        self._watching.utilization.start()

    def reset(self) -> None:
        """After every row was deleted: no activities, no routes, no containers."""
        self._shared.activities.end_all()
        self._shared.routes.replace({})
        self._serving.captures.reset()
        self._functions.reset()
        self.hooks.resume()
        self._watching.alarms.resume()
        self._shared.containers.retire_all_but(self._wanted_containers, 0)

    def close(self) -> None:
        """End the threads; containers live on."""
        self._watching.utilization.close()
        self._loop.close()
        self._shared.activities.close()
        self._shared.health.close()

    def _by_kind(self) -> Mapping[str, Controller]:
        """In the order in which they resume: what serves comes first."""
        return {
            **self._serving.by_kind(),
            **self._jobs.by_kind(),
            **self._functions.by_kind(),
            hook_run.HOOK_KIND: self.hooks,
            **self._watching.by_kind(),
            KEY_KIND: self._keys,
            SECRET_KIND: self._keys,
            **self._logs.by_kind(),
        }

    def _wanted_containers(self) -> set[str]:
        jobs, endpoints = self._jobs.wanted_containers(), self._serving.endpoints.wanted_containers()
        return jobs | endpoints | self.environments.wanted_containers()
