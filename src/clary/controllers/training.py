"""What a training job needs next: `decide`, pure, over the row and what is seen of its work.

Each status has one function below. What is to be done stands in the step; `training_effects` does it. A job has one
container for each of its hosts; they begin together, and when one of them fails the others end with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from clary.compute.base import Absent, Exited, Lost, Running, State
from clary.controllers.activities import Done, Failed, Outcome, Pending
from clary.controllers.capacity import Placement, Queued
from clary.controllers.steps import Begin, Move, Start, Wait
from clary.lifecycles.training_job import (
    COMPLETED,
    DOWNLOADING,
    FAILED,
    INTERRUPTED,
    LIFECYCLE,
    MAX_RUNTIME_EXCEEDED,
    MAX_WAIT_TIME_EXCEEDED,
    RESTARTING,
    STARTING,
    STOPPED,
    STOPPING,
    TRAINING,
    UPLOADING,
    Transition,
)
from clary.store.rows import Row
from clary.workload.failure import cut, is_internal
from clary.workload.hosts import hosts_of
from clary.workload.outputs import Outputs

MESSAGES: Mapping[str, str] = {
    STARTING: "Preparing the instances for training",
    RESTARTING: "Restarting the training job after an internal error",
    DOWNLOADING: "Downloading input data",
    TRAINING: "Training image download completed. Training in progress.",
    INTERRUPTED: "Training job interrupted: its spot instances were taken away",
    STOPPING: "Stopping the training job",
    UPLOADING: "Uploading generated training model",
    COMPLETED: "Training job completed",
    FAILED: "Training job failed",
    STOPPED: "Training job stopped",
    MAX_RUNTIME_EXCEEDED: "Training job runtime exceeded MaxRuntimeInSeconds provided",
    MAX_WAIT_TIME_EXCEEDED: "Training job wait time exceeded MaxWaitTimeInSeconds provided",
}
"""StatusMessage of each transition, as AWS puts it; for Interrupted and Restarting no public source shows its words."""

QUEUED = "Insufficient capacity error from EC2 while launching instances, retrying!"
"""StatusMessage of a job that waits for its turn, in AWS's words (API_SecondaryStatusTransition)."""

DEFAULT_MAX_RUNTIME = 86_400

BROKEN_GRACE = 10.0
"""Seconds that hosts are given to end after one of them has failed: many wait for it, deaf to signals."""

_NOTHING: Mapping[str, Any] = {}
_OF_ONE_ATTEMPT = ("containers", "log_streams", "training_start", "container_end", "interrupt")

Activity = Literal["environment", "bundle", "outputs", "checkpoints"]


@dataclass(frozen=True)
class Seen:
    """What is known beside the row. Activities are None where they were not begun since control started."""

    fresh: Callable[[], str]
    """An id for one more container."""
    containers: tuple[State, ...] = ()
    """Host by host, as the row names them."""
    placement: Placement | None = None
    """Asked for once its environment stands."""
    environment: Outcome | None = None
    bundle: Outcome | None = None
    outputs: Outcome | None = None
    checkpoints: Outcome | None = None

    def any(self, *kinds: type[State]) -> bool:
        """Whether some container is in one of these states."""
        return any(isinstance(state, kinds) for state in self.containers)

    @property
    def broken(self) -> bool:
        """Whether some host has ended badly, so that the others have nothing to go on for."""
        return any(isinstance(each, Lost) or (isinstance(each, Exited) and each.code) for each in self.containers)


@dataclass(frozen=True)
class Stop:
    """Ask the containers to end, and wait for them: `grace` seconds, or as long as AWS does where it is None."""

    grace: float | None = None


@dataclass(frozen=True)
class Cancel:
    """Tell this activity that it is not wanted any more, and wait for it."""

    activity: Activity


Step = Move | Begin[Activity] | Start | Stop | Cancel | Wait


def decide(row: Row, seen: Seen, now: float) -> Step:
    """The next step of a job that is not terminal; `now` in epoch seconds."""
    return _BY_STATUS[row.status](row, seen, now)


def _starting(row: Row, seen: Seen, now: float) -> Step:
    overdue = _cut_off(row, now)
    if overdue:
        return Move(overdue)
    if "containers" not in row.state:
        return Move(move(row, row.status, now, _named(row, seen, now)))
    match seen.environment:
        case None:
            return Begin("environment")
        case Failed(reason):
            return Move(_failed(row, reason, now))
        case Done():
            return _placed(row, seen, now)
    return Wait(_until_cut_off(row, now))


def _placed(row: Row, seen: Seen, now: float) -> Step:
    if not isinstance(seen.placement, Queued):
        return Move(move(row, DOWNLOADING, now))
    queued = _saying(row, QUEUED, now)
    return Wait(_until_cut_off(row, now)) if queued == row else Move(queued)


def _downloading(row: Row, seen: Seen, now: float) -> Step:
    overdue = _cut_off(row, now)
    if overdue:
        return Move(overdue)
    match seen.bundle:
        case None:
            return Begin("bundle")
        case Failed(reason):
            return Move(_failed(row, reason, now))
        case Done():
            return Move(move(row, TRAINING, now, {"training_start": now}))
    return Wait(_until_cut_off(row, now))


def _training(row: Row, seen: Seen, now: float) -> Step:
    if not seen.any(Running):
        if seen.any(Exited, Lost) and (seen.broken or not seen.any(Absent)):
            return Move(_uploading_from(row, seen, now))
        return Move(move(row, STOPPING, now)) if _unwanted(row) else Start()
    overdue = _cut_off(row, now)
    if overdue:
        return Move(overdue)
    if "interrupt" in row.state:
        return Move(move(row, INTERRUPTED, now))
    if seen.broken:
        return Stop(BROKEN_GRACE)
    return Start() if seen.any(Absent) else Wait(_until_cut_off(row, now))


def _interrupted(row: Row, seen: Seen, now: float) -> Step:
    if seen.any(Running):
        return Stop()
    if _unwanted(row):
        return Move(move(row, STOPPING, now))
    match seen.checkpoints:
        case None:
            return Begin("checkpoints")
        case Pending():
            return Wait()
        case Failed(reason):
            return Move(_failed(row, reason, now))
    return Move(_anew(row, STARTING, seen, now))


def _stopping(row: Row, seen: Seen, now: float) -> Step:
    if seen.any(Running):
        return Stop()
    if seen.any(Exited, Lost):
        return Move(_uploading_from(row, seen, now))
    if isinstance(seen.bundle, Pending):
        return Cancel("bundle")
    return Move(move(row, row.state.get("timed_out", STOPPED), now, {"training_end": now}))


def _uploading(row: Row, seen: Seen, now: float) -> Step:
    match seen.outputs:
        case None:
            return Begin("outputs")
        case Failed(reason):
            return Move(_failed(row, reason, now))
        case Done(value):
            return Move(_ended(row, value, now))
    return Wait()


_BY_STATUS: Mapping[str, Callable[[Row, Seen, float], Step]] = {
    STARTING: _starting,
    RESTARTING: _starting,
    DOWNLOADING: _downloading,
    TRAINING: _training,
    INTERRUPTED: _interrupted,
    STOPPING: _stopping,
    UPLOADING: _uploading,
}


def _unwanted(row: Row) -> bool:
    return row.target == STOPPED


def _cut_off(row: Row, now: float) -> Row | None:
    """The row on its way out, where it is not wanted any more or its time is up."""
    if _unwanted(row):
        return move(row, STOPPING, now)
    for end, status in _deadlines(row):
        if end <= now:
            return move(row, STOPPING, now, {"timed_out": status})
    return None


def _until_cut_off(row: Row, now: float) -> float | None:
    return min((end - now for end, _ in _deadlines(row)), default=None)


def _deadlines(row: Row) -> list[tuple[float, str]]:
    """When its time is up, and as what it ends then: its programs' time in all attempts; and the time since its
    creation, waiting included (for spot instances), or until its first program (MaxPendingTimeInSeconds, which AWS
    heeds for accelerated instances only)."""
    limits, created = row.spec.get("StoppingCondition", {}), row.created.timestamp()
    found = []
    if "training_start" in row.state:
        left = limits.get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME) - trained_before(row)
        found.append((row.state["training_start"] + left, MAX_RUNTIME_EXCEEDED))
    elif "MaxPendingTimeInSeconds" in limits and any(host.accelerated for host in hosts_of(row.spec)):
        found.append((created + limits["MaxPendingTimeInSeconds"], STOPPED))
    if "MaxWaitTimeInSeconds" in limits:
        found.append((created + limits["MaxWaitTimeInSeconds"], MAX_WAIT_TIME_EXCEEDED))
    return found


def trained_before(row: Row) -> float:
    """Seconds that the programs of earlier attempts have run."""
    attempts: list[tuple[float, float]] = row.state.get("attempts", [])
    return sum(end - start for start, end in attempts)


def _named(row: Row, seen: Seen, now: float) -> dict[str, Any]:
    """The containers' ids and log streams, chosen before anything is done with them."""
    hosts = hosts_of(row.spec)
    return {
        "containers": [seen.fresh() for _ in hosts],
        "log_streams": [f"{row.key.name}/{host.name}-{int(now)}" for host in hosts],
    }


def _uploading_from(row: Row, seen: Seen, now: float) -> Row:
    return move(row, UPLOADING, now, _ran(row, seen, now))


def _ran(row: Row, seen: Seen, now: float) -> dict[str, float]:
    """From the first program's begin to the last one's end."""
    exits = [state for state in seen.containers if isinstance(state, Exited)]
    end = max((state.at for state in exits), default=now)
    start = min((state.since for state in exits if state.since), default=row.state.get("training_start", end))
    return {"container_end": end, "training_start": start}


def _anew(row: Row, status: str, seen: Seen, now: float) -> Row:
    """The next attempt: with containers of its own, its predecessor's time kept."""
    ran = {**row.state, **_ran(row, seen, now)}
    attempts = [*row.state.get("attempts", ()), (ran["training_start"], ran["container_end"])]
    state = {name: value for name, value in row.state.items() if name not in _OF_ONE_ATTEMPT}
    return move(replace(row, state=state), status, now, {"attempts": attempts})


def _ended(row: Row, outputs: Outputs, now: float) -> Row:
    found = {
        "training_end": now,
        "model_artifacts": outputs.model_artifacts,
        "metrics": [dict(metric) for metric in outputs.metrics],
    }
    if row.state.get("timed_out"):
        return move(row, row.state["timed_out"], now, found)
    if any(entry["Status"] == STOPPING for entry in row.state["transitions"]):
        return move(row, STOPPED, now, found)
    if outputs.failure is not None:
        return _failed(row, outputs.failure, now, found)
    return move(row, COMPLETED, now, found)


def _failed(row: Row, reason: str, now: float, found: Mapping[str, Any] = _NOTHING) -> Row:
    """Tried again where the machine was at fault and RetryStrategy allows it, else at its end."""
    retries = row.state.get("retries", 0)
    allowed = row.spec.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0)
    if is_internal(reason) and retries < allowed and not _unwanted(row):
        start = row.state.get("training_start")
        ran = [(start, row.state.get("container_end", now))] if start else []
        state = {name: value for name, value in row.state.items() if name not in _OF_ONE_ATTEMPT}
        state |= {"retries": retries + 1, "attempts": [*row.state.get("attempts", ()), *ran]}
        return move(replace(row, state=state), RESTARTING, now)
    return move(row, FAILED, now, {**found, "failure_reason": cut(reason), "training_end": now})


def fail(row: Row, reason: str, now: float) -> Row:
    """The row of a job whose containers cannot be started."""
    return _failed(row, reason, now)


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


def _saying(row: Row, message: str, now: float) -> Row:
    """The row whose latest transition says so."""
    entries = _transitions(row, row.status, now)
    entries[-1]["StatusMessage"] = message
    return replace(row, state={**row.state, "transitions": entries})
