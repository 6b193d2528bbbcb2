"""What a batch transform job needs next: `decide`, pure, over the row and what is seen of its work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from clary.compute.base import Absent, Exited, Lost, Running, State
from clary.controllers.activities import Done, Failed, Outcome, Pending
from clary.controllers.capacity import Placement, Queued
from clary.controllers.steps import Begin, Move, Start, Wait
from clary.lifecycles.transform_job import (
    COMPLETED,
    FAILED,
    LIFECYCLE,
    STARTING,
    STOPPED,
    STOPPING,
    TRANSFORMING,
)
from clary.names import container_names
from clary.store.rows import Row
from clary.workload.failure import cut
from clary.workload.transform_round import Result

STARTUP_SECONDS = 480.0
"""A container has 8 minutes to answer /ping
(https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html)."""

TRIES = 3
"""Containers that end while they are needed are replaced, the files that are done are kept: so many times in all."""


_NOTHING: Mapping[str, Any] = {}
Activity = Literal["environment", "bundle", "transform"]


@dataclass(frozen=True)
class Seen:
    """What is known beside the row. Activities are None where they were not begun since control started."""

    fresh: Callable[[], str]
    """An id for one more container, or for the job's folder."""
    containers: tuple[State, ...] = ()
    healthy: tuple[bool, ...] = ()
    """Which of them have answered /ping."""
    placement: Placement | None = None
    environment: Outcome | None = None
    bundle: Outcome | None = None
    transform: Outcome | None = None

    def any(self, *kinds: type[State]) -> bool:
        """Whether some container is in one of these states."""
        return any(isinstance(state, kinds) for state in self.containers)


@dataclass(frozen=True)
class Stop:
    """End what is under way: activities and containers."""

    activities: tuple[Activity, ...] = field(default=("bundle", "transform"))


Step = Move | Begin[Activity] | Start | Stop | Wait


def decide(row: Row, seen: Seen, now: float) -> Step:
    """The next step of a job that is not terminal; `now` in epoch seconds."""
    return _BY_STATUS[row.status](row, seen, now)


def _starting(row: Row, seen: Seen, now: float) -> Step:
    if _unwanted(row):
        return Move(move(row, STOPPING, now))
    if "containers" not in row.state:
        return Move(move(row, STARTING, now, _named(row, seen, now)))
    building = _pending(row, "environment", seen.environment, now)
    if building or isinstance(seen.placement, Queued):
        return building or Wait()
    ready = Move(move(row, TRANSFORMING, now, {"started": now, "transform_start": now}))
    return _pending(row, "bundle", seen.bundle, now) or ready


def _pending(row: Row, activity: Activity, outcome: Outcome | None, now: float) -> Step | None:
    match outcome:
        case None:
            return Begin(activity)
        case Pending():
            return Wait()
        case Failed(reason):
            return Move(_failed(row, reason, now))
    return None


def _transforming(row: Row, seen: Seen, now: float) -> Step:
    if _unwanted(row):
        return Move(move(row, STOPPING, now))
    match seen.transform:
        case Done(Result(failure, False)):
            return Move(_ended(row, failure, now))
        case Failed(reason):
            return Move(_failed(row, reason, now))
    if isinstance(seen.transform, Done) or seen.any(Exited, Lost):
        return Move(_replaced(row, seen, now))
    return _serving(row, seen, now)


def _serving(row: Row, seen: Seen, now: float) -> Step:
    if seen.any(Absent):
        return _pending(row, "bundle", seen.bundle, now) or Start()
    if seen.transform is None and all(seen.healthy):
        return Begin("transform")
    return Wait() if seen.transform else _until_healthy(row, seen, now)


def _until_healthy(row: Row, seen: Seen, now: float) -> Step:
    left = row.state["started"] + STARTUP_SECONDS - now
    return Move(_failed(row, _no_ping(row, seen), now)) if left <= 0 else Wait(left)


def _no_ping(row: Row, seen: Seen) -> str:
    """AWS's words for an endpoint's containers, and for the one of a job that has no other."""
    names = container_names(row.state["container_definitions"])
    silent = [number for number, healthy in enumerate(seen.healthy) if not healthy]
    ended = [number for number in silent if isinstance(seen.containers[number], Exited | Lost)]
    which = "primary container" if len(names) == 1 else names[next(iter(ended or silent), 0) % len(names)]
    return (
        f"ClientError: The {which} did not pass the ping health check. Please check CloudWatch logs for this "
        "transform job."
    )


def _stopping(row: Row, seen: Seen, now: float) -> Step:
    busy = [outcome for outcome in (seen.bundle, seen.transform) if isinstance(outcome, Pending)]
    if busy or seen.any(Running):
        return Stop()
    return Move(move(row, STOPPED, now, {"transform_end": now}))


_BY_STATUS: Mapping[str, Callable[[Row, Seen, float], Step]] = {
    STARTING: _starting,
    TRANSFORMING: _transforming,
    STOPPING: _stopping,
}


def _unwanted(row: Row) -> bool:
    return row.target == STOPPED


def _named(row: Row, seen: Seen, now: float) -> dict[str, Any]:
    """Ids and log streams, chosen before anything is done with them."""
    names = container_names(row.state["container_definitions"])
    instances = [[seen.fresh() for _ in names] for _ in range(row.spec["TransformResources"]["InstanceCount"])]
    streams = [f"{row.key.name}/i-0{containers[0][:16]}-{int(now)}" for containers in instances]
    return {
        "job": row.state.get("job") or seen.fresh(),
        "containers": [container for containers in instances for container in containers],
        "log_streams": streams if len(names) == 1 else [f"{stream}/{name}" for stream in streams for name in names],
    }


def _replaced(row: Row, seen: Seen, now: float) -> Row:
    """New containers in the place of those that ended, all of them: what is under way is begun anew with them."""
    restarts = row.state.get("restarts", 0) + 1
    refused = next((state.reason for state in seen.containers if isinstance(state, Exited) and state.reason), None)
    if refused:
        return _failed(row, f"ClientError: CannotStartContainerError. {refused}", now)
    if restarts >= TRIES:
        return _failed(row, _died(row, seen) if all(_had_answered(seen)) else _no_ping(row, seen), now)
    return move(row, TRANSFORMING, now, {**_named(row, seen, now), "restarts": restarts, "started": now})


def _had_answered(seen: Seen) -> Iterator[bool]:
    """Of each container that has ended, whether it had answered /ping."""
    for state, healthy in zip(seen.containers, seen.healthy, strict=True):
        if isinstance(state, Exited | Lost):
            yield healthy


def _died(row: Row, seen: Seen) -> str:
    names = container_names(row.state["container_definitions"])
    ended = [(number, state) for number, state in enumerate(seen.containers) if isinstance(state, Exited)]
    which = "model container" if len(names) == 1 or not ended else names[ended[0][0] % len(names)]
    said = f" (exit code {', '.join(str(state.code) for _, state in ended)})" if ended else ""
    return f"AlgorithmError: The {which} ended while it was asked{said}. See job logs for more information"


def _ended(row: Row, failure: str | None, now: float) -> Row:
    if failure:
        return _failed(row, failure, now)
    return move(row, COMPLETED, now, {"transform_end": now})


def _failed(row: Row, reason: str, now: float) -> Row:
    return move(row, FAILED, now, {"failure_reason": cut(reason), "transform_end": now})


def fail(row: Row, reason: str, now: float) -> Row:
    """The row of a job whose containers cannot be started."""
    return _failed(row, reason, now)


def move(row: Row, status: str, now: float, found: Mapping[str, Any] = _NOTHING) -> Row:
    """The row in `status`, `found` put into its state. Raises ForbiddenTransition."""
    LIFECYCLE.check(row.status, status)
    return replace(row, status=status, state={**row.state, **found}, modified=datetime.fromtimestamp(now, UTC))
