"""What a compilation job needs next: `decide`, pure, over the row and what is seen of its work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from clary.compute.base import Absent, Exited, Lost, Running, State
from clary.controllers.activities import Done, Failed, Outcome, Pending
from clary.controllers.capacity import Placement, Queued
from clary.controllers.steps import Begin, Move, Start, Wait
from clary.lifecycles.compilation_job import (
    COMPLETED,
    FAILED,
    INPROGRESS,
    LIFECYCLE,
    STARTING,
    STOPPED,
    STOPPING,
)
from clary.store.rows import Row
from clary.workload.compilation import Artifact
from clary.workload.failure import cut

DEFAULT_MAX_RUNTIME = 86_400

_NOTHING: Mapping[str, Any] = {}

Activity = Literal["environment", "bundle", "artifact"]


@dataclass(frozen=True)
class Seen:
    """What is known beside the row. Activities are None where they were not begun since control started."""

    fresh: Callable[[], str]
    """An id for a container."""
    containers: tuple[State, ...] = ()
    placement: Placement | None = None
    environment: Outcome | None = None
    bundle: Outcome | None = None
    artifact: Outcome | None = None

    @property
    def container(self) -> State:
        """Absent before it is started."""
        return self.containers[0] if self.containers else Absent()


@dataclass(frozen=True)
class Stop:
    """End what is under way: activities and the container."""


Step = Move | Begin[Activity] | Start | Stop | Wait


def decide(row: Row, seen: Seen, now: float) -> Step:
    """The next step of a job that is not terminal; `now` in epoch seconds."""
    return _BY_STATUS[row.status](row, seen, now)


def _starting(row: Row, seen: Seen, now: float) -> Step:
    if row.target == STOPPED:
        return Move(move(row, STOPPING, now))
    if "containers" not in row.state:
        named = {"containers": [seen.fresh()], "log_streams": [row.key.name]}
        return Move(move(row, STARTING, now, named))
    building = _pending(row, "environment", seen.environment, now)
    if building or isinstance(seen.placement, Queued):
        return building or Wait()
    return Move(move(row, INPROGRESS, now, {"start": now}))


def _pending(row: Row, activity: Activity, outcome: Outcome | None, now: float) -> Step | None:
    match outcome:
        case None:
            return Begin(activity)
        case Pending():
            return Wait()
        case Failed(reason):
            return Move(fail(row, reason, now))
    return None


def _in_progress(row: Row, seen: Seen, now: float) -> Step:
    if row.target == STOPPED:
        return Move(move(row, STOPPING, now))
    match seen.container:
        case Exited() | Lost():
            return _ended(row, seen, now)
        case Absent():
            before = _pending(row, "bundle", seen.bundle, now)
            if not isinstance(before, Wait | None):
                return before
            return _in_time(row, now, before or Start())
    return _in_time(row, now, Wait())


def _in_time(row: Row, now: float, step: Step) -> Step:
    """The step, unless the job's time is over; what is waited for is waited for until then."""
    limit = row.spec["StoppingCondition"].get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME)
    left = row.state["start"] + limit - now
    if left <= 0:
        return Move(fail(row, f"ClientError: The compilation exceeded MaxRuntimeInSeconds ({limit}).", now))
    return Wait(left) if isinstance(step, Wait) else step


def _ended(row: Row, seen: Seen, now: float) -> Step:
    match seen.artifact:
        case Done(Artifact(None, digest)):
            return Move(move(row, COMPLETED, now, {"end": now, "digest": digest}))
        case Done(Artifact(str() as failure)):
            return Move(fail(row, failure, now))
    return _pending(row, "artifact", seen.artifact, now) or Wait()


def _stopping(row: Row, seen: Seen, now: float) -> Step:
    busy = [outcome for outcome in (seen.bundle, seen.artifact) if isinstance(outcome, Pending)]
    if busy or isinstance(seen.container, Running):
        return Stop()
    return Move(move(row, STOPPED, now, {"end": now}))


_BY_STATUS: Mapping[str, Callable[[Row, Seen, float], Step]] = {
    STARTING: _starting,
    INPROGRESS: _in_progress,
    STOPPING: _stopping,
}


def fail(row: Row, reason: str, now: float) -> Row:
    """The row of a job that cannot be done."""
    return move(row, FAILED, now, {"failure_reason": cut(reason), "end": now})


def move(row: Row, status: str, now: float, found: Mapping[str, Any] = _NOTHING) -> Row:
    """The row in `status`, `found` put into its state. Raises ForbiddenTransition."""
    LIFECYCLE.check(row.status, status)
    return replace(row, status=status, state={**row.state, **found}, modified=datetime.fromtimestamp(now, UTC))
