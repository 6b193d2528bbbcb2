"""Queries of Logs Insights and exports: work on many events, by children, a few at once. Killed with control at any
moment it is begun anew: nothing but the whole result is ever kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from clary.controllers.activities import Activities, Done, Failed, Pending
from clary.errors import AWSError
from clary.later import later
from clary.lifecycles import log_export, log_query
from clary.lifecycles.table import Lifecycle
from clary.objects import ObjectStore
from clary.settings import Settings
from clary.store import Store
from clary.store.rows import Key, Row
from clary.workload.errors import WorkloadError
from clary.workload.logs.child import TimedOut
from clary.workload.logs.export import Destination, exported
from clary.workload.logs.plan import Stream, group_of, streams

if TYPE_CHECKING:
    from clary.workload.logs import query as queries
else:
    queries = later("clary.workload.logs.query")  # the language of queries

AT_ONCE = 2
"""Children of each kind; the others wait their turn."""

KEPT_SECONDS = 7 * 86_400.0
"""How long results and what is said of them are kept, as on AWS."""

_TURN_SECONDS = 0.2
_WORK = "work"
_NO_FILE = "The query's results could not be computed."

Work = Callable[[Row, Callable[[], bool]], Mapping[str, Any]]
"""What to keep in the row's state, once it is done. Raises TimedOut, WorkloadError."""


@dataclass(frozen=True)
class Kind:
    """What queries and exports do not have in common."""

    lifecycle: Lifecycle
    running: str
    done: str
    failed: str
    timed_out: str
    cancelled: str


QUERIES = Kind(
    log_query.LIFECYCLE,
    log_query.RUNNING,
    log_query.COMPLETE,
    log_query.FAILED,
    log_query.TIMEOUT,
    log_query.CANCELLED,
)
EXPORTS = Kind(
    log_export.LIFECYCLE,
    log_export.RUNNING,
    log_export.COMPLETED,
    log_export.FAILED,
    log_export.FAILED,
    log_export.CANCELLED,
)

Seen = Pending | Done | Failed | TimedOut | None


@dataclass(frozen=True)
class Move:
    """Another status, with what is known then."""

    status: str
    state: Mapping[str, Any]


def decide(kind: Kind, row: Row, seen: Seen, *, place: bool, now: float) -> Move | None:
    """The next move of a row that is not at its end; None: it has to wait. `place`: there is room to begin. `seen` is
    what became of the work."""
    if row.target == kind.cancelled:
        return Move(kind.cancelled, {"ended": now})
    if row.status == kind.lifecycle.initial:
        return Move(kind.running, {"started": now}) if place else None
    match seen:
        case Done(value):
            if isinstance(value, TimedOut):
                return Move(kind.timed_out, {"ended": now, "reason": "The time was over."})
            return Move(kind.done, {"ended": now, **value})
        case Failed(reason):
            return Move(kind.failed, {"ended": now, "reason": reason})
    return None


class LogWorkController:
    """Reconciles rows of one kind."""

    def __init__(
        self, kind: Kind, store: Store, activities: Activities, work: Work, forget: Callable[[Row], None]
    ) -> None:
        self._kind = kind
        self._store = store
        self._activities = activities
        self._work = work
        self._forget = forget
        self._lock = threading.Lock()
        self._running: set[Key] = set()

    def resume(self) -> list[Key]:
        """After a start of control."""
        return [row.key for row in self._store.read.rows(self._kind.lifecycle.kind)]

    def reconcile(self, key: Key) -> float | None:
        """Go on until it has to be waited for."""
        row = self._store.read.get(key)
        while row is not None and not self._kind.lifecycle.terminal(row.status):
            now = time.time()
            move = decide(self._kind, row, self._activities.outcome(key, _WORK), place=self._has_place(row), now=now)
            if move is None:
                return self._wait(row)
            row = self._move(row, move)
        self._end(key)
        return None if row is None else self._expire(row)

    def _has_place(self, row: Row) -> bool:
        with self._lock:
            if row.key not in self._running and len(self._running) < AT_ONCE:
                self._running.add(row.key)
            return row.key in self._running

    def _wait(self, row: Row) -> float | None:
        if row.status == self._kind.lifecycle.initial:
            return _TURN_SECONDS
        with self._lock:
            self._running.add(row.key)  # it was running when control was started anew
        self._activities.begin(row.key, _WORK, lambda ended: self._worked(row, ended))
        return None

    def _worked(self, row: Row, ended: Callable[[], bool]) -> Mapping[str, Any] | TimedOut:
        try:
            return self._work(row, ended)
        except TimedOut as late:
            return late

    def _move(self, row: Row, move: Move) -> Row:
        status = self._kind.lifecycle.check(row.status, move.status)
        changed = replace(row, status=status, state={**row.state, **move.state})
        return self._store.write(lambda transaction: transaction.save(changed))

    def _end(self, key: Key) -> None:
        self._activities.forget(key)
        with self._lock:
            self._running.discard(key)

    def _expire(self, row: Row) -> float | None:
        left = float(row.state.get("ended", 0.0)) + KEPT_SECONDS - time.time()
        if left > 0:
            return left
        self._forget(row)
        self._store.write(lambda transaction: transaction.delete(row.key))
        return None


@dataclass(frozen=True)
class LogWork:
    """The work of both kinds."""

    settings: Settings
    store: Store
    objects: ObjectStore

    def query(self, row: Row, ended: Callable[[], bool]) -> Mapping[str, Any]:
        """Carry a query out."""
        found = [stream for group in row.spec["groups"] for stream in self._streams(row, group)]
        file = queries.results_file(self.settings.logs_dir, row.key.name)
        try:
            said = queries.carried_out(row.spec["queryString"], row.spec["limit"], row.key.account, found, file, ended)
        except RuntimeError as error:
            raise WorkloadError(f"{_NO_FILE} {str(error).splitlines()[-1]}") from None
        return {"statistics": said}

    def forget_query(self, row: Row) -> None:
        """Its results."""
        queries.results_file(self.settings.logs_dir, row.key.name).unlink(missing_ok=True)

    def export(self, row: Row, ended: Callable[[], bool]) -> Mapping[str, Any]:
        """Carry an export out."""
        spec = row.spec
        found = self._streams(row, spec["logGroupName"], spec.get("logStreamNamePrefix", ""))
        folder = self.settings.logs_dir / "exports" / row.key.name
        to = Destination(spec["destination"], spec["destinationPrefix"])
        try:
            exported(self.objects, to, row.key.name, found, folder, ended)
        except (RuntimeError, AWSError) as error:
            raise WorkloadError(str(error)) from None
        return {}

    def _streams(self, row: Row, name: str, prefix: str = "") -> list[Stream]:
        """None of a group that is gone meanwhile."""
        group = self.store.read.get(group_of(row, name))
        if group is None:
            return []
        rows = self.store.read.children("log-stream", group.key)
        stretch = row.spec["start"], row.spec["end"]
        return streams(self.settings.logs_dir, group, rows, stretch, time.time(), prefix)
