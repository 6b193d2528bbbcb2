"""What a scalable target needs next: `decide`, pure, over its row and what is seen of its endpoint.

An activity is written down before its effect, and the endpoint remembers which call has changed it: whoever dies in
between does nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clary.lifecycles.endpoint import FAILED as ENDPOINT_FAILED
from clary.lifecycles.endpoint import IN_SERVICE, UPDATE_ROLLBACK_FAILED
from clary.scaling.decision import Bounds, Cooldown, Decision, Proposal, decide, enforced
from clary.scaling.resource import parse
from clary.scaling.rows import COOLDOWN, ENDPOINT, FAILED, OUT_OF_BOUNDS, OVERRIDDEN, SUCCESSFUL, TRIGGERS, UNDER_WAY
from clary.scaling.rows import scaled as scaled_variant
from clary.store.rows import Row

LOOK_SECONDS = 0.5
"""While a change of the endpoint is under way."""

AT_REST = frozenset({IN_SERVICE, ENDPOINT_FAILED, UPDATE_ROLLBACK_FAILED})
"""An endpoint on which no change is under way; counts can be set of one in service only."""

LASTS_SECONDS = 120.0
"""An alarm calls each minute while it stays in its state: what it said so long ago holds no more."""


@dataclass(frozen=True)
class Wait:
    """Look again after so many seconds; None: not before something is said."""

    seconds: float | None = None


@dataclass(frozen=True)
class Leave:
    """There is nothing to scale any more."""


@dataclass(frozen=True)
class Ask:
    """Have the endpoint changed for the activity under way."""


@dataclass(frozen=True)
class Finish:
    """The activity under way has ended so."""

    status: str
    message: str | None


@dataclass(frozen=True)
class Decide:
    """What was asked for is decided: nothing, nothing but a note, or an activity."""

    decision: Decision


Step = Wait | Leave | Ask | Finish | Decide


def next_step(
    row: Row, endpoint: Row | None, policies: Mapping[str, Row], agreed: Mapping[str, bool], now: float
) -> Step:
    """The next step; `policies` by name, `agreed` whether all others but this one would remove instances."""
    if endpoint is None or endpoint.created.timestamp() != row.state[ENDPOINT]:
        return Leave()
    under_way = row.state.get(UNDER_WAY)
    if under_way:
        return _follow(endpoint, row, under_way)
    if not (row.state.get(OUT_OF_BOUNDS) or row.state.get(TRIGGERS)):
        return _idle(row, endpoint)
    if endpoint.status != IN_SERVICE:
        return Wait(None if endpoint.status in AT_REST else LOOK_SECONDS)
    variant = scaled_variant(endpoint, row.key)
    if variant is None:
        return Leave()
    return Decide(_decision(row, parse(row.key.name).capacity(variant), policies, agreed, now))


def _idle(row: Row, endpoint: Row) -> Step:
    """A variant that an update has taken away is nothing to scale."""
    gone = endpoint.status == IN_SERVICE and scaled_variant(endpoint, row.key) is None
    return Leave() if gone else Wait()


def _follow(endpoint: Row, row: Row, under_way: Mapping[str, Any]) -> Step:
    if not under_way["asked"]:
        return Ask()
    if endpoint.status not in AT_REST:
        return Wait(LOOK_SECONDS)
    variant, capacity, resource = scaled_variant(endpoint, row.key), under_way["capacity"], parse(row.key.name)
    counted = resource.counted
    if variant is not None and resource.capacity(variant) == capacity:
        return Finish(SUCCESSFUL, done(counted, capacity))
    reason = endpoint.state.get("failure_reason")
    return Finish(FAILED, failed(counted, capacity, reason)) if reason else Finish(OVERRIDDEN, None)


def _decision(row: Row, current: int, policies: Mapping[str, Row], agreed: Mapping[str, bool], now: float) -> Decision:
    bounds = Bounds(row.spec["MinCapacity"], row.spec["MaxCapacity"], row.spec["SuspendedState"])
    if row.state.get(OUT_OF_BOUNDS):
        found = enforced(bounds, current)
        if found:
            return found
    return decide(bounds, current, _cooldown(row), _proposals(row, policies, agreed, now), now)


def _cooldown(row: Row) -> Cooldown | None:
    known = row.state.get(COOLDOWN)
    return Cooldown(**known) if known else None


def _proposals(row: Row, policies: Mapping[str, Row], agreed: Mapping[str, bool], now: float) -> Sequence[Proposal]:
    return [
        Proposal(
            policy=name,
            type=policies[name].spec["type"],
            config=policies[name].spec["config"],
            alarm=said["alarm"],
            state=said["state"],
            which=said["which"],
            points=tuple(said["points"]),
            threshold=said["threshold"],
            agreed=agreed.get(name, True),
        )
        for name, said in row.state.get(TRIGGERS, {}).items()
        if name in policies and now - said["at"] <= LASTS_SECONDS
    ]


# AWS's words


def setting(counted: str, capacity: int) -> str:
    """An activity's Description."""
    return f"Setting desired {counted} count to {capacity}."


def waiting(counted: str, capacity: int) -> str:
    """An activity's StatusMessage while it goes on."""
    return f"Successfully set desired {counted} count to {capacity}. Waiting for change to be fulfilled by sagemaker."


def done(counted: str, capacity: int) -> str:
    """An activity's StatusMessage when it is over."""
    return f"Successfully set desired {counted} count to {capacity}. Change successfully fulfilled by sagemaker."


def failed(counted: str, capacity: int, reason: str) -> str:
    """An activity's StatusMessage when it is over."""
    return f"Failed to set desired {counted} count to {capacity}. Reason: {reason}"
