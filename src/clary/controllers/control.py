"""All controllers of one control process, put together."""

from __future__ import annotations

import time

from clary.alarms.rows import KIND as ALARM_KIND
from clary.compute.base import Backend, Dial
from clary.compute.machine import given_away, machine
from clary.controllers.activities import Activities
from clary.controllers.alarm_actions import executors
from clary.controllers.alarm_effects import AlarmController
from clary.controllers.alarm_states import AlarmStates
from clary.controllers.capacity import Capacity
from clary.controllers.capturing import KIND as CAPTURE_KIND
from clary.controllers.capturing import CaptureController
from clary.controllers.compilation_effects import CompilationController
from clary.controllers.container import RETIRE_KIND, Containers
from clary.controllers.endpoint_effects import EndpointController
from clary.controllers.experiment_effects import ExperimentController
from clary.controllers.following import Chore, Following
from clary.controllers.function_effects import FunctionController
from clary.controllers.function_environments import ENVIRONMENT_KIND, FunctionEnvironments
from clary.controllers.health import HealthGate
from clary.controllers.hearing import Hearing
from clary.controllers.hook_effects import Acting, HookController
from clary.controllers.key_effects import KeyController
from clary.controllers.log_groups import GROUP_KIND, LogGroupController
from clary.controllers.log_work import EXPORTS, QUERIES, LogWork, LogWorkController
from clary.controllers.logs import Invoke, Logs
from clary.controllers.loop import Loop
from clary.controllers.model_loading import ModelLoading
from clary.controllers.proposing import SearchBeside
from clary.controllers.scaling_actions import ScaleByPolicy
from clary.controllers.scaling_effects import ScalingController
from clary.controllers.scaling_schedule import ScheduleController
from clary.controllers.series import Series
from clary.controllers.serverless_effects import ServerlessReplicas
from clary.controllers.training_effects import TrainingController
from clary.controllers.transform_effects import TransformController
from clary.controllers.tuning_effects import TuningController
from clary.controllers.utilization_effects import Utilization
from clary.controllers.warm_pools import WarmPools
from clary.hooks.workload import HookWorkload
from clary.keys.rows import KIND as KEY_KIND
from clary.keys.secrets import KIND as SECRET_KIND
from clary.lifecycles import (
    compilation_job,
    endpoint,
    function,
    hook_run,
    inference_component,
    inference_experiment,
    log_export,
    log_query,
    training_job,
    transform_job,
    tuning_job,
)
from clary.scaling.rows import SCHEDULED_KIND, TARGET_KIND
from clary.serving.routes import RouteTable
from clary.settings import Settings
from clary.store import Store
from clary.store.rows import Key
from clary.telemetry.series import SeriesStore
from clary.workload.compilation import CompilationWorkload
from clary.workload.functions.environments import FunctionWorkload
from clary.workload.hosting import HostingWorkload
from clary.workload.runtimes import Runtimes
from clary.workload.storage import Storage
from clary.workload.training import TrainingWorkload
from clary.workload.transform_job import TransformWorkload

_CHECKPOINTS_SECONDS = 5.0
"""An interruption loses no more than what was written since."""

_SERIES_SECONDS = 5.0
"""A person who watches a metric wants to see it move."""


class Controllers:
    """Made once by control; `wake` may be called before `start` (operations are then done as soon as it is)."""

    def __init__(  # noqa: PLR0913, PLR0917  each is a part of another package, put together in one place only
        self,
        settings: Settings,
        store: Store,
        storage: Storage,
        runtimes: Runtimes,
        backend: Backend,
        dial: Dial,
        functions: FunctionWorkload,
        hooks: HookWorkload,
        invoke: Invoke,
        acting: Acting,
        series: SeriesStore,
    ) -> None:
        self._loop = Loop()
        self._activities = Activities(self.wake)
        self._health = HealthGate(dial, self.wake)
        self._containers = Containers(backend, settings.run_dir, self.wake)
        self._routes = RouteTable(settings.run_dir)
        logs = Logs(invoke)
        training = TrainingWorkload(settings, storage, runtimes)
        self.capacity = Capacity(machine(settings.capacity), given_away(settings.capacity), self.wake)
        """Who has a place on this machine, and who waits for one."""
        self._pools = WarmPools(store, self.capacity, self.wake)
        self._training = TrainingController(
            settings,
            store,
            training,
            self._containers,
            self._activities,
            logs,
            self.capacity,
            self._pools,
            Following(self._activities, _chores(training, Series(settings, invoke, training.own_metrics))),
            self.wake,
        )
        hearing = Hearing(training.log_files, training.own_metrics)
        self._tunings = TuningController(store, invoke, self._activities, hearing, SearchBeside)
        self._transforms = TransformController(
            store,
            TransformWorkload(settings, storage, runtimes),
            self._containers,
            self._activities,
            logs,
            self.capacity,
            self._health,
        )
        self._compilations = CompilationController(
            store,
            CompilationWorkload(settings, storage, runtimes),
            self._containers,
            self._activities,
            logs,
            self.capacity,
        )
        hosting = HostingWorkload(settings, storage, runtimes)
        self._endpoints = EndpointController(
            store,
            hosting,
            self._containers,
            self._activities,
            logs,
            self._routes,
            self._health,
            AlarmStates(invoke, acting),
        )
        self._experiments = ExperimentController(store, invoke, acting)
        self.models = ModelLoading(store, hosting, dial)
        """Where models of multi-model endpoints are loaded."""
        self.serverless = ServerlessReplicas(store, self.wake)
        """Where edges say how many replicas serverless variants need."""
        self._captures = CaptureController(settings, storage, logs)
        self._functions = FunctionController(settings, store, functions, self._activities)
        self.environments = FunctionEnvironments(store, functions, self._containers, logs, self.wake)
        """Where functions are invoked."""
        self.hooks = HookController(settings, store, hooks, self._activities, logs, invoke, acting)
        self._code = functions.code
        self._scaling = ScalingController(store, invoke)
        self._schedules = ScheduleController(store, self.wake)
        self._keys = KeyController(settings, store, invoke, self.wake)
        carried_out = {**executors(invoke), "autoscaling": ScaleByPolicy(store, self.wake)}
        self._utilization = Utilization(settings, store, self._containers, invoke)
        work = LogWork(settings, store, storage.objects)
        self._log_queries = LogWorkController(QUERIES, store, self._activities, work.query, work.forget_query)
        self._log_exports = LogWorkController(EXPORTS, store, self._activities, work.export, lambda row: None)
        self._log_groups = LogGroupController(settings, store, invoke)
        self._alarms = AlarmController(store, series, carried_out, self.wake)

    def wake(self, key: Key) -> None:
        """A row has changed; kinds that need no controller are nothing."""
        if key.kind == training_job.KIND:
            self.capacity.announce(key, time.time())
        if key.kind == ALARM_KIND:
            self._alarms.announce(key)
        if key.kind in (endpoint.KIND, inference_component.KIND):
            for target in self._scaling.targets_of(key):
                self._loop.wake(target)
        self._loop.wake(key)

    def start(self) -> None:
        """Publish the routes, take up what is unfinished, and end the containers that no row names."""
        jobs = (self._training, self._transforms, self._compilations, self._tunings, self._pools)
        scaling = (self._alarms, self._scaling, self._schedules)
        serving = (self._endpoints, self._experiments, self._captures)
        logs = (self._log_queries, self._log_exports, self._log_groups)
        functions = (self._functions, self.environments)
        resumed = (*serving, *jobs, *functions, self.hooks, *scaling, self._keys, *logs)
        for key in [key for controller in resumed for key in controller.resume()]:
            self._loop.wake(key)
        self._containers.watch()
        self._containers.retire_all_but(self._wanted_containers, self._routes.generation)
        self._loop.start(
            {
                training_job.KIND: self._training,
                transform_job.KIND: self._transforms,
                compilation_job.KIND: self._compilations,
                tuning_job.KIND: self._tunings,
                endpoint.KIND: self._endpoints,
                inference_component.KIND: self._endpoints,
                inference_experiment.KIND: self._experiments,
                CAPTURE_KIND: self._captures,
                training_job.WARM_POOL_KIND: self._pools,
                function.KIND: self._functions,
                function.VERSION_KIND: self._functions,
                ENVIRONMENT_KIND: self.environments,
                hook_run.HOOK_KIND: self.hooks,
                RETIRE_KIND: self._containers,
                ALARM_KIND: self._alarms,
                TARGET_KIND: self._scaling,
                SCHEDULED_KIND: self._schedules,
                log_query.KIND: self._log_queries,
                log_export.KIND: self._log_exports,
                GROUP_KIND: self._log_groups,
                KEY_KIND: self._keys,
                SECRET_KIND: self._keys,
            }
        )
        self._utilization.start()

    def reset(self) -> None:
        """After every row was deleted: no routes, no containers."""
        self._routes.replace({})
        self._captures.reset()
        self._functions.publish()
        self._code.clear()
        self.hooks.resume()
        self._alarms.resume()
        self._containers.retire_all_but(self._wanted_containers, 0)

    def close(self) -> None:
        """End the threads; containers live on."""
        self._utilization.close()
        self._loop.close()
        self._activities.close()
        self._health.close()

    def _wanted_containers(self) -> set[str]:
        holders = (self._training, self._transforms, self._compilations, self._endpoints, self.environments)
        return set().union(*(controller.wanted_containers() for controller in holders))


def _chores(training: TrainingWorkload, series: Series) -> tuple[Chore, ...]:
    """What is done for jobs while they run."""
    return (
        Chore(
            "checkpoint",
            _CHECKPOINTS_SECONDS,
            lambda row: "CheckpointConfig" in row.spec,
            training.save_checkpoints,
        ),
        Chore(
            "series",
            _SERIES_SECONDS,
            lambda row: "MetricDefinitions" in row.spec["AlgorithmSpecification"],
            lambda row: series.follow(row, training.log_files(row)),
            at_end=True,
        ),
    )
