"""What a training job needs next: `decide`, pure, over the row and what is seen of its work.

Each status has one function below. What is to be done stands in the step; `training_effects` does it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from clary.compute.base import Absent, Exited, Lost, Running, State
from clary.controllers.activities import Done, Failed, Outcome, Pending
from clary.lifecycles.training_job import (
    COMPLETED,
    DOWNLOADING,
    FAILED,
    LIFECYCLE,
    MAX_RUNTIME_EXCEEDED,
    STARTING,
    STOPPED,
    STOPPING,
    TRAINING,
    UPLOADING,
    Transition,
)
from clary.store.rows import Row
from clary.workload.failure import cut
from clary.workload.outputs import Outputs

MESSAGES: Mapping[str, str] = {
    STARTING: "Preparing the instances for training",
    DOWNLOADING: "Downloading input data",
    TRAINING: "Training image download completed. Training in progress.",
    STOPPING: "Stopping the training job",
    UPLOADING: "Uploading generated training model",
    COMPLETED: "Training job completed",
    FAILED: "Training job failed",
    STOPPED: "Training job stopped",
    MAX_RUNTIME_EXCEEDED: "Training job runtime exceeded MaxRuntimeInSeconds provided",
}
"""StatusMessage of each transition, as AWS puts it."""

DEFAULT_MAX_RUNTIME = 86_400

_NOTHING: Mapping[str, Any] = {}

Activity = Literal["environment", "bundle", "outputs"]


@dataclass(frozen=True)
class Seen:
    """What is known beside the row. Activities are None where they were not begun since control started."""

    fresh: str
    """An id for a container, should one be needed."""
    container: State = field(default_factory=Absent)
    environment: Outcome | None = None
    bundle: Outcome | None = None
    outputs: Outcome | None = None


@dataclass(frozen=True)
class Move:
    """Save this row, and look again."""

    row: Row


@dataclass(frozen=True)
class Begin:
    """Have this activity done; the job is woken when it is."""

    activity: Activity


@dataclass(frozen=True)
class Start:
    """Start the container."""


@dataclass(frozen=True)
class Stop:
    """Ask the container to end, and wait for it."""


@dataclass(frozen=True)
class Cancel:
    """Tell this activity that it is not wanted any more, and wait for it."""

    activity: Activity


@dataclass(frozen=True)
class Wait:
    """Nothing to do until the job is woken, or so many seconds have passed."""

    seconds: float | None = None


Step = Move | Begin | Start | Stop | Cancel | Wait


def decide(row: Row, seen: Seen, now: float) -> Step:
    """The next step of a job that is not terminal; `now` in epoch seconds."""
    return _BY_STATUS[row.status](row, seen, now)


def _starting(row: Row, seen: Seen, now: float) -> Step:
    if _unwanted(row):
        return Move(move(row, STOPPING, now))
    match seen.environment:
        case Failed(reason):
            return Move(_failed(row, reason, now))
        case Done():
            return Move(move(row, DOWNLOADING, now, _named(row, seen.fresh, now)))
    if "container" not in row.state:
        return Move(move(row, STARTING, now, _named(row, seen.fresh, now)))
    return Wait() if seen.environment else Begin("environment")


def _downloading(row: Row, seen: Seen, now: float) -> Step:
    if _unwanted(row):
        return Move(move(row, STOPPING, now))
    match seen.bundle:
        case Failed(reason):
            return Move(_failed(row, reason, now))
        case Done():
            return Move(move(row, TRAINING, now, {"training_start": now}))
    return Wait() if seen.bundle else Begin("bundle")


def _training(row: Row, seen: Seen, now: float) -> Step:
    match seen.container:
        case Absent():
            return Move(move(row, STOPPING, now)) if _unwanted(row) else Start()
        case Running():
            return _running(row, now)
        case Exited() | Lost():
            return Move(_uploading_from(row, seen.container, now))


def _running(row: Row, now: float) -> Step:
    if _unwanted(row):
        return Move(move(row, STOPPING, now))
    left = row.state["training_start"] + max_runtime(row) - now
    if left <= 0:
        return Move(move(row, STOPPING, now, {"timed_out": True}))
    return Wait(left)


def _stopping(row: Row, seen: Seen, now: float) -> Step:
    match seen.container:
        case Running():
            return Stop()
        case Exited() | Lost():
            return Move(_uploading_from(row, seen.container, now))
    if isinstance(seen.bundle, Pending):
        return Cancel("bundle")
    return Move(move(row, STOPPED, now, {"training_end": now}))


def _uploading(row: Row, seen: Seen, now: float) -> Step:
    match seen.outputs:
        case Failed(reason):
            return Move(_failed(row, reason, now))
        case Done(value):
            return Move(_ended(row, value, now))
    return Wait() if seen.outputs else Begin("outputs")


_BY_STATUS: Mapping[str, Callable[[Row, Seen, float], Step]] = {
    STARTING: _starting,
    DOWNLOADING: _downloading,
    TRAINING: _training,
    STOPPING: _stopping,
    UPLOADING: _uploading,
}


def max_runtime(row: Row) -> float:
    """StoppingCondition.MaxRuntimeInSeconds."""
    return float(row.spec.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME))


def _unwanted(row: Row) -> bool:
    return row.target == STOPPED


def _named(row: Row, fresh: str, now: float) -> dict[str, Any]:
    """The container's id and log stream, chosen before anything is done with them."""
    if "container" in row.state:
        return {}
    return {"container": fresh, "log_stream": f"{row.key.name}/algo-1-{int(now)}"}


def _uploading_from(row: Row, ended: Exited | Lost, now: float) -> Row:
    at = ended.at if isinstance(ended, Exited) else now
    began = ended.since if isinstance(ended, Exited) and ended.since else row.state.get("training_start", at)
    return move(row, UPLOADING, now, {"container_end": at, "training_start": began})


def _ended(row: Row, outputs: Outputs, now: float) -> Row:
    found = {
        "training_end": now,
        "model_artifacts": outputs.model_artifacts,
        "metrics": [dict(metric) for metric in outputs.metrics],
    }
    stopping = any(entry["Status"] == STOPPING for entry in row.state["transitions"])
    if row.state.get("timed_out"):
        return move(row, MAX_RUNTIME_EXCEEDED, now, found)
    if stopping:
        return move(row, STOPPED, now, found)
    if outputs.failure is not None:
        return _failed(row, outputs.failure, now)
    return move(row, COMPLETED, now, found)


def _failed(row: Row, reason: str, now: float) -> Row:
    return move(row, FAILED, now, {"failure_reason": cut(reason), "training_end": now})


def move(row: Row, status: str, now: float, found: Mapping[str, Any] = _NOTHING) -> Row:
    """The row in `status`, its transitions written on, `found` put into its state. Raises ForbiddenTransition."""
    LIFECYCLE.check(row.status, status)
    state = {**row.state, **found, "transitions": _transitions(row, status, now)}
    return replace(row, status=status, state=state, modified=datetime.fromtimestamp(now, UTC))


def _transitions(row: Row, status: str, now: float) -> list[Transition]:
    entries: list[Transition] = [entry.copy() for entry in row.state.get("transitions", ())]
    if not entries:
        begun = row.created.timestamp()
        entries = [{"Status": row.status, "StartTime": begun, "StatusMessage": MESSAGES[row.status]}]
    if entries[-1]["Status"] == status:
        return entries
    entries[-1]["EndTime"] = now
    fresh: Transition = {"Status": status, "StartTime": now, "StatusMessage": MESSAGES[status]}
    if LIFECYCLE.terminal(status):
        fresh["EndTime"] = now
    return [*entries, fresh]
