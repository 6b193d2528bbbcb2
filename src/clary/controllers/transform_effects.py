"""Doing what `transform.decide` says."""

from __future__ import annotations

import time
from collections.abc import Callable

from clary.controllers.activities import Activities, Done, Outcome, Work
from clary.controllers.capacity import Capacity, Placement
from clary.controllers.container import Containers
from clary.controllers.health import HealthGate
from clary.controllers.jobs import Jobs, containers_of
from clary.controllers.logs import Logs, lines_into
from clary.controllers.steps import Begin, Move, Start, Wait
from clary.controllers.transform import Activity, Seen, Step, Stop, decide, fail
from clary.errors import ClaryError
from clary.instances import Shape, shape
from clary.lifecycles.transform_job import LIFECYCLE, STARTING, STOPPING, TRANSFORMING
from clary.names import random_hex
from clary.store import Store
from clary.store.rows import Key, Row
from clary.workload.errors import WorkloadError, cannot_start
from clary.workload.transform_job import LOG_GROUP, TransformWorkload, data_log, instance_streams

_WATCH_SECONDS = 5.0
_GRACE = 30.0
_HAS_CONTAINERS = frozenset({TRANSFORMING, STOPPING})


class TransformController:
    """Reconciles batch transform jobs."""

    def __init__(
        self,
        store: Store,
        workload: TransformWorkload,
        containers: Containers,
        activities: Activities,
        logs: Logs,
        capacity: Capacity,
        health: HealthGate,
    ) -> None:
        self._store = store
        self._jobs = Jobs(LIFECYCLE, _HAS_CONTAINERS, store, containers)
        self._workload = workload
        self._containers = containers
        self._activities = activities
        self._logs = logs
        self._capacity = capacity
        self._health = health

    def resume(self) -> list[Key]:
        """After a start of control: whose containers may be there, who has a place; all of them are to be woken."""
        rows = self._jobs.unfinished()
        self._workload.clear_all_but(rows)
        for row in rows:
            self._jobs.own(row)
            if row.status in _HAS_CONTAINERS:
                self._capacity.hold(row.key, _shapes(row))
        return [row.key for row in rows]

    def wanted_containers(self) -> set[str]:
        """Ids that rows name."""
        return self._jobs.wanted_containers()

    def reconcile(self, key: Key) -> float | None:
        """Go on with a job until it has to wait for something."""
        row = self._store.read.get(key)
        while row is not None and not LIFECYCLE.terminal(row.status):
            step = decide(row, self._see(row), time.time())
            if isinstance(step, Move):
                row = self._save(row, step.row)
            else:
                return self._act(row, step)
        self._capacity.release(key)
        self._activities.forget(key)
        if row is not None:
            self._workload.clear(row)
        return None

    def _see(self, row: Row) -> Seen:
        containers = containers_of(row)
        environment = self._outcome(row, "environment")
        return Seen(
            fresh=random_hex,
            containers=self._jobs.states(row),
            healthy=tuple(self._health.healthy(container) for container in containers),
            placement=self._placement(row) if isinstance(environment, Done) else None,
            environment=environment,
            bundle=self._outcome(row, "bundle"),
            transform=self._outcome(row, "transform"),
        )

    def _placement(self, row: Row) -> Placement | None:
        if row.status != STARTING:
            return None
        return self._capacity.request(row.key, _shapes(row), row.created.timestamp())

    def _outcome(self, row: Row, activity: Activity) -> Outcome | None:
        return self._activities.outcome(row.key, activity)

    def _save(self, before: Row, row: Row) -> Row:
        saved = self._store.write(lambda transaction: transaction.save(row))
        self._jobs.own(saved)
        over = LIFECYCLE.terminal(saved.status)
        gone = set(containers_of(before)) - (set() if over else set(containers_of(saved)))
        if gone and not over:  # what was asked of them is asked of their successors, whose model is yet to come
            self._activities.forget(saved.key)
        for container in gone:
            self._health.forget(container)
        self._containers.retire(gone)
        return saved

    def _act(self, row: Row, step: Step) -> float | None:
        match step:
            case Begin(activity):
                self._activities.begin(row.key, activity, self._work(row, activity), builds=activity != "bundle")
            case Start():
                return self._start(row)
            case Stop(activities):
                for activity in activities:
                    self._activities.cancel(row.key, activity)
                for container in containers_of(row):
                    self._containers.stop(container, _GRACE)
                return _WATCH_SECONDS
            case Wait(seconds):
                self._probe(row)
                return seconds
        return None

    def _probe(self, row: Row) -> None:
        """After a start of control nobody has asked yet."""
        if row.status == TRANSFORMING:
            for container in containers_of(row):
                self._health.probe(container, row.key)

    def _start(self, row: Row) -> float | None:
        try:
            for container, what in self._workload.containers(row):
                self._containers.start(container, what, row.key)
        except (WorkloadError, ClaryError) as error:
            self._save(row, fail(row, cannot_start(error), time.time()))
            return 0.0
        self._probe(row)
        return _WATCH_SECONDS

    def _work(self, row: Row, activity: Activity) -> Work:
        works: dict[Activity, Callable[[Row, Callable[[], bool]], object]] = {
            "environment": self._environment,
            "bundle": self._bundle,
            "transform": self._workload.transform,
        }
        return lambda ended: works[activity](row, ended)

    def _environment(self, row: Row, _ended: Callable[[], bool]) -> None:
        stream, log = row.state["log_streams"][0], self._workload.log_files(row)[0]
        self._logs.ensure(row.key, LOG_GROUP, stream)
        with lines_into(log) as line:
            for notice in self._workload.notices(row):
                line(notice)
            self._workload.build(row, line)

    def _bundle(self, row: Row, ended: Callable[[], bool]) -> None:
        for stream in row.state["log_streams"]:
            self._logs.ensure(row.key, LOG_GROUP, stream)
        for instance in instance_streams(row):
            self._logs.ensure(row.key, LOG_GROUP, data_log(instance))
        self._workload.lay_out(row, ended)


def _shapes(row: Row) -> list[Shape]:
    resources = row.spec["TransformResources"]
    return [shape(resources["InstanceType"])] * resources["InstanceCount"]
