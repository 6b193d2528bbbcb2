"""Doing what `compilation.decide` says."""

from __future__ import annotations

import time
from collections.abc import Callable

from clary.compute.base import Exited, Lost
from clary.controllers.activities import Activities, Done, Outcome, Work
from clary.controllers.capacity import Capacity, Placement
from clary.controllers.compilation import Activity, Seen, Step, Stop, decide, fail
from clary.controllers.container import Containers
from clary.controllers.jobs import Jobs, containers_of
from clary.controllers.logs import Logs, lines_into
from clary.controllers.steps import Begin, Move, Start, Wait
from clary.errors import ClaryError
from clary.lifecycles.compilation_job import INPROGRESS, LIFECYCLE, STARTING, STOPPING
from clary.names import random_hex
from clary.store import Store
from clary.store.rows import Key, Row
from clary.workload.compilation import LOG_GROUP, Artifact, CompilationWorkload, needs
from clary.workload.errors import WorkloadError, cannot_start

_WATCH_SECONDS = 5.0
_GRACE = 30.0
_HAS_CONTAINER = frozenset({INPROGRESS, STOPPING})
_STOPPED: tuple[Activity, ...] = ("bundle", "artifact")


class CompilationController:
    """Reconciles compilation jobs."""

    def __init__(
        self,
        store: Store,
        workload: CompilationWorkload,
        containers: Containers,
        activities: Activities,
        logs: Logs,
        capacity: Capacity,
    ) -> None:
        self._store = store
        self._jobs = Jobs(LIFECYCLE, _HAS_CONTAINER, store, containers)
        self._workload = workload
        self._containers = containers
        self._activities = activities
        self._logs = logs
        self._capacity = capacity

    def resume(self) -> list[Key]:
        """After a start of control: whose containers may be there, who has a place; all of them are to be woken."""
        rows = self._jobs.unfinished()
        for row in rows:
            self._jobs.own(row)
            if row.status in _HAS_CONTAINER:
                self._capacity.hold(row.key, [needs()])
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
                row = self._save(step.row)
            else:
                return self._act(row, step)
        self._capacity.release(key)
        self._activities.forget(key)
        return None

    def _see(self, row: Row) -> Seen:
        environment = self._outcome(row, "environment")
        return Seen(
            fresh=random_hex,
            containers=self._jobs.states(row),
            placement=self._placement(row) if isinstance(environment, Done) else None,
            environment=environment,
            bundle=self._outcome(row, "bundle"),
            artifact=self._outcome(row, "artifact"),
        )

    def _placement(self, row: Row) -> Placement | None:
        if row.status != STARTING:
            return None
        return self._capacity.request(row.key, [needs()], row.created.timestamp())

    def _outcome(self, row: Row, activity: Activity) -> Outcome | None:
        return self._activities.outcome(row.key, activity)

    def _save(self, row: Row) -> Row:
        saved = self._store.write(lambda transaction: transaction.save(row))
        self._jobs.own(saved)
        if LIFECYCLE.terminal(saved.status):
            self._containers.retire(containers_of(saved))
        return saved

    def _act(self, row: Row, step: Step) -> float | None:
        match step:
            case Begin(activity):
                self._activities.begin(row.key, activity, self._work(row, activity), builds=activity == "environment")
            case Start():
                return self._start(row)
            case Stop():
                for activity in _STOPPED:
                    self._activities.cancel(row.key, activity)
                for container in containers_of(row):
                    self._containers.stop(container, _GRACE)
                return _WATCH_SECONDS
            case Wait(seconds):
                watched = row.status == INPROGRESS
                return min(seconds or _WATCH_SECONDS, _WATCH_SECONDS) if watched else seconds
        return None

    def _start(self, row: Row) -> float | None:
        try:
            container, what = self._workload.container(row)
            self._containers.start(container, what, row.key)
        except (WorkloadError, ClaryError) as error:
            self._save(fail(row, cannot_start(error), time.time()))
            return 0.0
        return _WATCH_SECONDS

    def _work(self, row: Row, activity: Activity) -> Work:
        works: dict[Activity, Callable[[Row, Callable[[], bool]], object]] = {
            "environment": self._environment,
            "bundle": self._workload.lay_out,
            "artifact": self._artifact,
        }
        return lambda ended: works[activity](row, ended)

    def _environment(self, row: Row, _ended: Callable[[], bool]) -> None:
        self._logs.ensure(row.key, LOG_GROUP, row.state["log_streams"][0])
        with lines_into(self._workload.log_file(row)) as line:
            for notice in self._workload.notices(row):
                line(notice)
            if not self._workload.ready(row):
                self._workload.build(row, line)

    def _artifact(self, row: Row, _ended: Callable[[], bool]) -> Artifact:
        state = self._jobs.states(row)[0]
        return self._workload.collect(row, state if isinstance(state, Exited) else Lost())
