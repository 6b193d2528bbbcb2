"""Doing what `training.decide` says."""

from __future__ import annotations

import time
from collections.abc import Callable

from clary.compute.base import Absent, Exited, Lost, State
from clary.controllers.activities import Activities, Outcome, Work
from clary.controllers.container import Containers
from clary.controllers.logs import Logs, lines_into
from clary.controllers.training import (
    Activity,
    Begin,
    Cancel,
    Move,
    Seen,
    Start,
    Step,
    Stop,
    Wait,
    decide,
    max_runtime,
    move,
)
from clary.errors import ClaryError
from clary.lifecycles.training_job import FAILED, LIFECYCLE, STOPPING, TRAINING, UPLOADING
from clary.names import random_hex
from clary.settings import Settings
from clary.store import Store
from clary.store.rows import Key, Row
from clary.workload.errors import WorkloadError, cannot_start
from clary.workload.failure import cut
from clary.workload.training import LOG_GROUP, TrainingWorkload

_WATCH_SECONDS = 5.0
"""A look at a running container even if no event came."""

_ACTIVITIES: tuple[Activity, ...] = ("environment", "bundle", "outputs")
_HAS_CONTAINER = frozenset({TRAINING, STOPPING, UPLOADING})


class TrainingController:
    """Reconciles training jobs."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        workload: TrainingWorkload,
        containers: Containers,
        activities: Activities,
        logs: Logs,
    ) -> None:
        self._grace = settings.limits.stop_grace_seconds
        self._store = store
        self._workload = workload
        self._containers = containers
        self._activities = activities
        self._logs = logs

    def unfinished(self) -> list[Row]:
        """All jobs that are not terminal."""
        statuses = [status for status in LIFECYCLE.moves if not LIFECYCLE.terminal(status)]
        return self._store.read.rows(LIFECYCLE.kind, statuses)

    def resume(self) -> list[Key]:
        """After a start of control: whose containers may be there; all of them are to be woken."""
        rows = self.unfinished()
        for row in rows:
            if "container" in row.state:
                self._containers.own(row.state["container"], row.key)
        return [row.key for row in rows]

    def wanted_containers(self) -> set[str]:
        """Ids that rows name."""
        return {row.state["container"] for row in self.unfinished() if "container" in row.state}

    def reconcile(self, key: Key) -> float | None:
        """Go on with a job until it has to wait for something."""
        row = self._store.read.get(key)
        while row is not None and not LIFECYCLE.terminal(row.status):
            step = decide(row, self._see(row), time.time())
            if isinstance(step, Move):
                row = self._save(step.row)
            else:
                return self._act(row, step)
        self._activities.forget(key)
        return None

    def _see(self, row: Row) -> Seen:
        return Seen(
            fresh=random_hex(),
            container=self._container(row),
            environment=self._outcome(row, "environment"),
            bundle=self._outcome(row, "bundle"),
            outputs=self._outcome(row, "outputs"),
        )

    def _container(self, row: Row) -> State:
        return self._containers.poll(row.state["container"]) if row.status in _HAS_CONTAINER else Absent()

    def _outcome(self, row: Row, activity: Activity) -> Outcome | None:
        return self._activities.outcome(row.key, activity)

    def _save(self, row: Row) -> Row:
        saved = self._store.write(lambda transaction: transaction.save(row))
        if "container" in saved.state:
            self._containers.own(saved.state["container"], saved.key)
            if LIFECYCLE.terminal(saved.status):
                self._containers.retire([saved.state["container"]])
        return saved

    def _act(self, row: Row, step: Step) -> float | None:
        match step:
            case Begin(activity):
                self._activities.begin(row.key, activity, self._work(row, activity), builds=activity == "environment")
            case Start():
                return self._start(row)
            case Stop():
                self._containers.stop(row.state["container"], self._grace)
                return _WATCH_SECONDS
            case Cancel(activity):
                self._activities.cancel(row.key, activity)
            case Wait(seconds):
                return None if seconds is None else min(seconds, _WATCH_SECONDS)
        return None

    def _start(self, row: Row) -> float | None:
        try:
            self._containers.start(row.state["container"], self._workload.container(row), row.key)
        except (WorkloadError, ClaryError) as error:
            now, reason = time.time(), cut(cannot_start(error))
            self._save(move(row, FAILED, now, {"failure_reason": reason, "training_end": now}))
            return 0.0
        return min(max_runtime(row), _WATCH_SECONDS)

    def _work(self, row: Row, activity: Activity) -> Work:
        works: dict[Activity, Callable[[Row, Callable[[], bool]], object]] = {
            "environment": self._environment,
            "bundle": self._bundle,
            "outputs": self._outputs,
        }
        return lambda ended: works[activity](row, ended)

    def _environment(self, row: Row, _ended: Callable[[], bool]) -> None:
        if self._workload.ready(row):
            return
        self._logs.ensure(row.key, LOG_GROUP, row.state["log_stream"])
        with lines_into(self._workload.log_file(row)) as line:
            self._workload.build(row, line)

    def _bundle(self, row: Row, ended: Callable[[], bool]) -> None:
        self._logs.ensure(row.key, LOG_GROUP, row.state["log_stream"])
        notices = self._workload.notices(row)
        if notices:
            with lines_into(self._workload.log_file(row)) as line:
                for notice in notices:
                    line(notice)
        self._workload.lay_out(row, ended)

    def _outputs(self, row: Row, _ended: Callable[[], bool]) -> object:
        ending = self._containers.poll(row.state["container"])
        return self._workload.collect(row, ending if isinstance(ending, Exited) else Lost())
