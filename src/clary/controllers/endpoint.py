"""What an endpoint needs next: `decide`, pure, over the row and what is seen of its replicas.

A row has up to two deployments: `current`, which answers, and `next`, which is to take its place: with replicas of its
own, in the steps of a rollout (`controllers/rollout.py`), or, where only weights and counts change, at once, with the
same replicas and as many more as are wanted. `decide` first says what the row should be; only where the row is so
already does it say what is to be done for it. Containers that no deployment names any more are nobody's: whoever saves
the row retires them.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import cast

from clary.compute.base import Absent, Running
from clary.controllers import rollout as rollouts
from clary.controllers.activities import Done
from clary.controllers.endpoint_seen import Seen, by_container
from clary.controllers.replica_failures import crowded, hopeless, impossible, startup_seconds
from clary.controllers.replicas import fill
from clary.controllers.serverless import settle
from clary.lifecycles.endpoint import (
    DELETED,
    FAILED,
    IN_SERVICE,
    LIFECYCLE,
    ROLLING_BACK,
    UPDATE_ROLLBACK_FAILED,
    UPDATING,
    Deployment,
    EndpointState,
    is_ready,
    replicas_of,
)
from clary.lifecycles.rollout import Rollout
from clary.store.rows import Row
from clary.workload.failure import cut


@dataclass(frozen=True)
class Save:
    """Save this row and publish its route, then look again."""

    row: Row


@dataclass(frozen=True)
class Remove:
    """The endpoint is not wanted: publish that it has no route, delete its row, retire its containers."""


@dataclass(frozen=True)
class Act:
    """The row is as it should be; what its replicas need. `again`: seconds until something is due by the clock."""

    prepare: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    probe: tuple[str, ...] = ()
    again: float | None = None


Step = Save | Remove | Act


def decide(row: Row, seen: Seen, now: float) -> Step:
    """The next step; `now` in epoch seconds."""
    if row.target == DELETED:
        return Remove()
    wanted = _wanted(row, seen, now)
    if wanted.status != row.status or wanted.state != row.state:
        return Save(replace(wanted, modified=datetime.fromtimestamp(now, UTC)))
    return _act(row, seen, now)


def _wanted(row: Row, seen: Seen, now: float) -> Row:
    """The row as it should be, given what is seen."""
    state = cast("EndpointState", copy.deepcopy(dict(row.state)))
    status = _entered(row.status, state)
    back = status == ROLLING_BACK and state.get("next") is not None
    reason = impossible(state.get("current") if back else state.get("next"), seen)
    for deployment, serves in _with_traffic(state):
        fill(deployment, seen, now, serves=serves)
    reason = reason or (None if back else crowded(state, seen))
    if back:
        return _going_back(row, state, reason or hopeless(state.get("current"), seen, now), now)
    if state.get("next") is None or status == UPDATE_ROLLBACK_FAILED:
        return _at(row, status, IN_SERVICE if status == ROLLING_BACK else status, state)
    reason = reason or hopeless(state.get("next"), seen, now)
    reason = reason or rollouts.in_the_way(state.get("rollout"), seen.alarms, now)
    if reason is not None:
        return _given_up(row, status, state, reason, now)
    return _in_place(row, status, state) if _taken_over(state, seen, now) else _at(row, status, status, state)


def _with_traffic(state: EndpointState) -> list[tuple[Deployment, bool]]:
    """`current` and `next`, as far as they are there, and whether their replicas answer already: those of a `next` that
    differs in weights and counts only do."""
    current, coming = state.get("current"), state.get("next")
    found = ((current, True), (coming, current is not None and "rollout" not in state))
    return [(deployment, serves) for deployment, serves in found if deployment]


def _entered(status: str, state: EndpointState) -> str:
    """An endpoint in service for which something is to come is Updating."""
    if state.get("next") and status == IN_SERVICE:
        return LIFECYCLE.check(status, UPDATING)
    return status


def _taken_over(state: EndpointState, seen: Seen, now: float) -> bool:
    """Whether what is to come is all there; takes the next stage of a rollout where it is time."""
    if "rollout" in state:
        return rollouts.onward(state, seen.alarms, now)
    return all(map(is_ready, replicas_of(state["next"])))


def _in_place(row: Row, status: str, state: EndpointState) -> Row:
    if state["next"]:
        settle(state["next"], state.get("current"))
    state["current"], state["next"] = state["next"], None
    state.pop("failure_reason", None)
    state.pop("rollout", None)
    return _at(row, status, IN_SERVICE, state)


def _given_up(row: Row, status: str, state: EndpointState, reason: str, now: float) -> Row:
    state["failure_reason"] = cut(reason)
    serves = status == UPDATING and state.get("current") is not None
    if not serves or rollouts.turn_back(state, now):
        _drop(state)
    return _at(row, status, ROLLING_BACK if serves else FAILED, state)


def _going_back(row: Row, state: EndpointState, reason: str | None, now: float) -> Row:
    """The old fleet comes back, and all traffic to it; or it does not come up, and both stay as they are."""
    if reason is not None:
        state["failure_reason"] = cut(f"{state['failure_reason']} Rolling back failed: {reason}")
        return _at(row, ROLLING_BACK, UPDATE_ROLLBACK_FAILED, state)
    if not rollouts.backward(state, now):
        return _at(row, ROLLING_BACK, ROLLING_BACK, state)
    _drop(state)
    return _at(row, ROLLING_BACK, IN_SERVICE, state)


def _drop(state: EndpointState) -> None:
    state["next"] = None
    state.pop("rollout", None)


def _at(row: Row, before: str, status: str, state: EndpointState) -> Row:
    return replace(row, status=LIFECYCLE.check(before, status), state=state)


def _act(row: Row, seen: Seen, now: float) -> Act:
    """What the containers need that are not ready."""
    prepare, start, probe, due = [], [], [], _due(row, now)
    for container, (variant, member) in by_container(row).items():
        if member.get("ready"):
            continue
        if member.get("not_before", 0.0) > now:
            due.append(member["not_before"] - now)
            continue
        if "started" in member:
            due.append(max(0.0, member["started"] + startup_seconds(variant) - now) + 0.01)
        if isinstance(seen.containers.get(container, Absent()), Running):
            probe.append(container)
        elif isinstance(seen.bundles.get(container), Done):
            start.append(container)
        elif container not in seen.bundles:
            prepare.append(container)
    return Act(tuple(prepare), tuple(start), tuple(probe), min(due, default=None))


def _due(row: Row, now: float) -> list[float]:
    """Seconds until the rollout is to be looked at."""
    rollout: Rollout | None = row.state.get("rollout")
    seconds = rollouts.seconds_left(rollout, now) if rollout and row.status == UPDATING else None
    return [] if seconds is None else [seconds]
