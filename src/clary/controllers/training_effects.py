"""Doing what `training.decide` says."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from clary.compute.base import Absent, Exited, Lost, State
from clary.controllers.activities import Activities, Done, Outcome, Work
from clary.controllers.capacity import Capacity, Placement
from clary.controllers.container import Containers
from clary.controllers.following import Following
from clary.controllers.jobs import Jobs, containers_of
from clary.controllers.logs import Logs, lines_into
from clary.controllers.steps import Begin, Move, Start, Wait
from clary.controllers.training import Activity, Cancel, Seen, Step, Stop, decide, fail
from clary.controllers.warm_pools import WarmPools
from clary.errors import ClaryError
from clary.lifecycles import tuning_job
from clary.lifecycles.training_job import (
    DOWNLOADING,
    INTERRUPTED,
    LIFECYCLE,
    RESTARTING,
    STARTING,
    STOPPING,
    TRAINING,
    UPLOADING,
)
from clary.names import random_hex
from clary.settings import Settings
from clary.store import Store
from clary.store.rows import Key, Row
from clary.store.transaction import Transaction
from clary.workload.errors import WorkloadError, cannot_start
from clary.workload.hosts import hosts_of
from clary.workload.outputs import Ending
from clary.workload.training import LOG_GROUP, TrainingWorkload

_WATCH_SECONDS = 5.0
"""A look at a running container even if no event came."""

_QUEUEING = frozenset({STARTING, RESTARTING})
_HAS_PLACE = frozenset({DOWNLOADING, TRAINING, INTERRUPTED, STOPPING, UPLOADING})
_HAS_CONTAINERS = frozenset({TRAINING, INTERRUPTED, STOPPING, UPLOADING})


class TrainingController:
    """Reconciles training jobs."""

    def __init__(  # noqa: PLR0913, PLR0917  what a job's life takes, put together in one place
        self,
        settings: Settings,
        store: Store,
        workload: TrainingWorkload,
        containers: Containers,
        activities: Activities,
        logs: Logs,
        capacity: Capacity,
        pools: WarmPools,
        following: Following,
        wake: Callable[[Key], None],
    ) -> None:
        self._grace = settings.limits.stop_grace_seconds
        self._store = store
        self._jobs = Jobs(LIFECYCLE, _HAS_CONTAINERS, store, containers)
        self._workload = workload
        self._containers = containers
        self._activities = activities
        self._logs = logs
        self._capacity = capacity
        self._pools = pools
        self._following = following
        self._wake = wake

    def resume(self) -> list[Key]:
        """After a start of control: whose containers may be there, who has a place; all of them are to be woken."""
        rows = self._jobs.unfinished()
        for row in rows:
            self._jobs.own(row)
            if row.status in _HAS_PLACE:
                self._capacity.hold(row.key, [host.shape for host in hosts_of(row.spec)])
            else:
                self._capacity.announce(row.key, row.created.timestamp())
        return [row.key for row in rows]

    def wanted_containers(self) -> set[str]:
        """Ids that rows name."""
        return self._jobs.wanted_containers()

    def reconcile(self, key: Key) -> float | None:
        """Go on with a job until it has to wait for something."""
        looked = False
        try:
            again = self._go_on(key)
            looked = True
        finally:
            if not looked:  # an error of ours holds up nobody else
                self._capacity.defer(key)
        return again

    def _go_on(self, key: Key) -> float | None:
        row = self._store.read.get(key)
        while row is not None and not LIFECYCLE.terminal(row.status):
            step = decide(row, self._see(row), time.time())
            if isinstance(step, Move):
                row = self._save(row, step.row)
            else:
                return self._act(row, step)
        self._capacity.release(key)
        self._activities.forget(key)
        self._following.forget(key)
        return None

    def _see(self, row: Row) -> Seen:
        environment = self._outcome(row, "environment")
        return Seen(
            fresh=random_hex,
            containers=self._jobs.states(row),
            placement=self._placement(row) if isinstance(environment, Done) else None,
            environment=environment,
            bundle=self._outcome(row, "bundle"),
            outputs=self._outcome(row, "outputs"),
            checkpoints=self._outcome(row, "checkpoints"),
        )

    def _placement(self, row: Row) -> Placement | None:
        if row.status not in _QUEUEING:
            return None
        self._pools.take(row)
        shapes = [host.shape for host in hosts_of(row.spec)]
        return self._capacity.request(row.key, shapes, row.created.timestamp())

    def _outcome(self, row: Row, activity: Activity) -> Outcome | None:
        return self._activities.outcome(row.key, activity)

    def _save(self, before: Row, row: Row) -> Row:
        saved = self._store.write(lambda transaction: self._write(transaction, row))
        self._jobs.own(saved)
        gone = set(containers_of(before)) - set(containers_of(saved))
        if gone:  # another attempt: nothing of this one is of use for it
            self._activities.forget(saved.key)
            self._following.forget(saved.key)
            self._capacity.release(saved.key)
            self._containers.retire(gone)
        if LIFECYCLE.terminal(saved.status):
            self._pools.kept(saved)
            self._containers.retire(containers_of(saved))
        if LIFECYCLE.terminal(saved.status) or saved.status == TRAINING != before.status:
            self._tell_its_tuning(saved)  # it has ended, or may now be heard
        return saved

    def _tell_its_tuning(self, row: Row) -> None:
        if row.parent:
            self._wake(replace(row.key, kind=tuning_job.KIND, name=row.parent))

    def _write(self, transaction: Transaction, row: Row) -> Row:
        return self._pools.retain(transaction, row) if LIFECYCLE.terminal(row.status) else transaction.save(row)

    def _act(self, row: Row, step: Step) -> float | None:
        match step:
            case Begin(activity):
                self._activities.begin(row.key, activity, self._work(row, activity), builds=activity == "environment")
            case Start():
                return self._start(row)
            case Stop(grace):
                for container in containers_of(row):
                    self._containers.stop(container, self._grace if grace is None else min(grace, self._grace))
                return _WATCH_SECONDS
            case Cancel(activity):
                self._activities.cancel(row.key, activity)
            case Wait(seconds):
                return self._wait(row, seconds)
        return None

    def _wait(self, row: Row, seconds: float | None) -> float | None:
        if row.status != TRAINING:
            return seconds
        due = self._following.follow(row, time.time())
        return min(due, _WATCH_SECONDS if seconds is None else seconds)

    def _start(self, row: Row) -> float | None:
        try:
            for container, what in self._workload.containers(row):
                self._containers.start(container, what, row.key)
        except (WorkloadError, ClaryError) as error:
            self._save(row, fail(row, cannot_start(error), time.time()))
            return 0.0
        return _WATCH_SECONDS

    def _work(self, row: Row, activity: Activity) -> Work:
        works: dict[Activity, Callable[[Row, Callable[[], bool]], object]] = {
            "environment": self._environment,
            "bundle": self._bundle,
            "outputs": self._outputs,
            "checkpoints": self._checkpoints,
        }
        return lambda ended: works[activity](row, ended)

    def _environment(self, row: Row, _ended: Callable[[], bool]) -> None:
        if self._workload.ready(row):
            return
        self._capacity.defer(row.key)
        self._logs.ensure(row.key, LOG_GROUP, row.state["log_streams"][0])
        with lines_into(self._workload.log_files(row)[0]) as line:
            self._workload.build(row, line)

    def _bundle(self, row: Row, ended: Callable[[], bool]) -> None:
        for stream in row.state["log_streams"]:
            self._logs.ensure(row.key, LOG_GROUP, stream)
        notices = self._workload.notices(row)
        for log in self._workload.log_files(row) if notices else ():
            with lines_into(log) as line:
                for notice in notices:
                    line(notice)
        self._workload.lay_out(row, ended)

    def _outputs(self, row: Row, _ended: Callable[[], bool]) -> object:
        self._following.finish(row)
        return self._workload.collect(row, [_ending(state) for state in self._jobs.states(row)])

    def _checkpoints(self, row: Row, _ended: Callable[[], bool]) -> None:
        self._workload.save_checkpoints(row, final=True)


def _ending(state: State) -> Ending:
    """One that was never started, since another had failed by then, has no reason of its own."""
    if isinstance(state, Absent):
        return Exited(at=time.time(), code=0)
    return state if isinstance(state, Exited) else Lost()
