"""Controllers that belong together, put together: jobs, what serves, functions, logs, and what watches all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from clary.alarms.rows import KIND as ALARM_KIND
from clary.controllers.alarm_actions import executors
from clary.controllers.alarm_effects import AlarmController
from clary.controllers.alarm_states import AlarmStates
from clary.controllers.capturing import KIND as CAPTURE_KIND
from clary.controllers.capturing import CaptureController
from clary.controllers.compilation_effects import CompilationController
from clary.controllers.endpoint_effects import EndpointController
from clary.controllers.experiment_effects import ExperimentController
from clary.controllers.following import Chore, Following
from clary.controllers.function_effects import FunctionController
from clary.controllers.function_environments import ENVIRONMENT_KIND, FunctionEnvironments
from clary.controllers.hearing import Hearing
from clary.controllers.log_groups import GROUP_KIND, LogGroupController
from clary.controllers.log_work import EXPORTS, QUERIES, LogWork, LogWorkController
from clary.controllers.loop import Reconciler
from clary.controllers.model_loading import ModelLoading
from clary.controllers.parts import Parts, Shared
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
from clary.lifecycles import (
    compilation_job,
    endpoint,
    function,
    inference_component,
    inference_experiment,
    log_export,
    log_query,
    training_job,
    transform_job,
    tuning_job,
)
from clary.scaling.rows import SCHEDULED_KIND, TARGET_KIND
from clary.store.rows import Key
from clary.workload.compilation import CompilationWorkload
from clary.workload.hosting import HostingWorkload
from clary.workload.training import TrainingWorkload
from clary.workload.transform_job import TransformWorkload

_CHECKPOINTS_SECONDS = 5.0
"""An interruption loses no more than what was written since."""

_SERIES_SECONDS = 5.0
"""A person who watches a metric wants to see it move."""


class Controller(Reconciler, Protocol):
    """Of one kind of row, or of several."""

    def resume(self) -> list[Key]:
        """What is unfinished, after a start."""
        ...


class JobControllers:
    """Work that has an end."""

    def __init__(self, parts: Parts, shared: Shared) -> None:
        workload = TrainingWorkload(parts.settings, parts.storage, parts.runtimes)
        self.pools = WarmPools(parts.store, shared.capacity, shared.wake)
        self.training = _training(parts, shared, workload, self.pools)
        hearing = Hearing(workload.log_files, workload.own_metrics)
        self.tunings = TuningController(parts.store, parts.invoke, shared.activities, hearing, SearchBeside)
        self.transforms = TransformController(
            parts.store,
            TransformWorkload(parts.settings, parts.storage, parts.runtimes),
            shared.containers,
            shared.activities,
            shared.logs,
            shared.capacity,
            shared.health,
        )
        self.compilations = CompilationController(
            parts.store,
            CompilationWorkload(parts.settings, parts.storage, parts.runtimes),
            shared.containers,
            shared.activities,
            shared.logs,
            shared.capacity,
        )

    def by_kind(self) -> Mapping[str, Controller]:
        """In the order in which they resume."""
        return {
            training_job.KIND: self.training,
            transform_job.KIND: self.transforms,
            compilation_job.KIND: self.compilations,
            tuning_job.KIND: self.tunings,
            training_job.WARM_POOL_KIND: self.pools,
        }

    def wanted_containers(self) -> set[str]:
        """Those that a row names."""
        holders = (self.training, self.transforms, self.compilations)
        return set().union(*(holder.wanted_containers() for holder in holders))


def _training(parts: Parts, shared: Shared, workload: TrainingWorkload, pools: WarmPools) -> TrainingController:
    series = Series(parts.settings, parts.invoke, workload.own_metrics)
    return TrainingController(
        parts.settings,
        parts.store,
        workload,
        shared.containers,
        shared.activities,
        shared.logs,
        shared.capacity,
        pools,
        Following(shared.activities, _chores(workload, series)),
        shared.wake,
    )


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


class ServingControllers:
    """Endpoints, and what is done with their requests beside answering them."""

    def __init__(self, parts: Parts, shared: Shared) -> None:
        hosting = HostingWorkload(parts.settings, parts.storage, parts.runtimes)
        self.endpoints = EndpointController(
            parts.store,
            hosting,
            shared.containers,
            shared.activities,
            shared.logs,
            shared.routes,
            shared.health,
            AlarmStates(parts.invoke, parts.acting),
        )
        self.experiments = ExperimentController(parts.store, parts.invoke, parts.acting)
        self.captures = CaptureController(parts.settings, parts.storage, shared.logs)
        self.models = ModelLoading(parts.store, hosting, parts.dial)
        self.serverless = ServerlessReplicas(parts.store, shared.wake)

    def by_kind(self) -> Mapping[str, Controller]:
        """In the order in which they resume."""
        return {
            endpoint.KIND: self.endpoints,
            inference_component.KIND: self.endpoints,
            inference_experiment.KIND: self.experiments,
            CAPTURE_KIND: self.captures,
        }


class FunctionControllers:
    """Lambda's functions, and where they are invoked."""

    def __init__(self, parts: Parts, shared: Shared) -> None:
        store, functions = parts.store, parts.functions
        self.functions = FunctionController(parts.settings, store, functions, shared.activities)
        self.environments = FunctionEnvironments(store, functions, shared.containers, shared.logs, shared.wake)
        self._code = functions.code

    def by_kind(self) -> Mapping[str, Controller]:
        """In the order in which they resume."""
        return {
            function.KIND: self.functions,
            function.VERSION_KIND: self.functions,
            ENVIRONMENT_KIND: self.environments,
        }

    def reset(self) -> None:
        """After every row was deleted."""
        self.functions.publish()
        self._code.clear()


class WatchingControllers:
    """Alarms, and what follows from them."""

    def __init__(self, parts: Parts, shared: Shared) -> None:
        store, invoke = parts.store, parts.invoke
        carried_out = {**executors(invoke), "autoscaling": ScaleByPolicy(store, shared.wake)}
        self.alarms = AlarmController(store, parts.series, carried_out, shared.wake)
        self.scaling = ScalingController(store, invoke)
        self.schedules = ScheduleController(store, shared.wake)
        self.utilization = Utilization(parts.settings, store, shared.containers, invoke)

    def by_kind(self) -> Mapping[str, Controller]:
        """In the order in which they resume."""
        return {ALARM_KIND: self.alarms, TARGET_KIND: self.scaling, SCHEDULED_KIND: self.schedules}


class LogControllers:
    """What is done with logs that are there."""

    def __init__(self, parts: Parts, shared: Shared) -> None:
        settings, store, activities = parts.settings, parts.store, shared.activities
        work = LogWork(settings, store, parts.storage.objects)
        self._queries = LogWorkController(QUERIES, store, activities, work.query, work.forget_query)
        self._exports = LogWorkController(EXPORTS, store, activities, work.export, lambda row: None)
        self._groups = LogGroupController(settings, store, parts.invoke)

    def by_kind(self) -> Mapping[str, Controller]:
        """In the order in which they resume."""
        return {log_query.KIND: self._queries, log_export.KIND: self._exports, GROUP_KIND: self._groups}
