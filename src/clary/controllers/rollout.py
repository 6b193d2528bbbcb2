"""One deployment takes the place of another, a stage at a time: pure, over an endpoint's state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clary.lifecycles.endpoint import Deployment, EndpointState, is_ready, replicas_of
from clary.lifecycles.rollout import ACTIVATING, BAKING, CREATING, DELETING, WAITING, Rollout, way_back

ALARM = "ALARM"

ALARMS_SECONDS = 1.0
"""Between two looks at the alarms of a deployment that is under way."""


@dataclass(frozen=True)
class Unreadable:
    """The alarms cannot be read, and will not be: why."""

    reason: str


Alarms = Mapping[str, str] | Unreadable
"""The state of each alarm that is there, by name."""


def in_the_way(rollout: Rollout | None, alarms: Alarms | None, now: float) -> str | None:
    """Why a deployment must be taken back, or None; `alarms` is None while nothing is known of them.

    No public source shows AWS's words.
    """
    if rollout is None:
        return None
    limit = rollout.get("limit")
    if limit is not None and now > rollout["started"] + limit:
        return f"The deployment did not complete within MaximumExecutionTimeoutInSeconds ({limit:.0f} seconds)."
    if not rollout["alarms"] or alarms is None:
        return None
    if isinstance(alarms, Unreadable):
        return f"The alarms of AutoRollbackConfiguration cannot be described: {alarms.reason}"
    missing = [name for name in rollout["alarms"] if name not in alarms]
    if missing:
        return f"The alarm(s) {', '.join(missing)} of AutoRollbackConfiguration do not exist."
    tripped = [name for name in rollout["alarms"] if alarms[name] == ALARM]
    return f"The alarm(s) {', '.join(tripped)} of AutoRollbackConfiguration are in ALARM state." if tripped else None


def onward(state: EndpointState, alarms: Alarms | None, now: float) -> bool:
    """Enter the next stage where it is time, changing `state`; whether all that is new has taken its place.

    No stage in which alarms are watched ends while nothing is known of them.
    """
    rollout = state["rollout"]
    if rollout["stage"] == CREATING and not all(map(is_ready, replicas_of(state["next"]))):
        return False
    if rollout["stage"] in (BAKING, WAITING) and (due(rollout) > now or (rollout["alarms"] and alarms is None)):
        return False
    stage = _after(state, rollout)
    if stage is None:
        return True
    if stage == CREATING:
        rollout["step"] += 1
        _count(state["next"], rollout["steps"][rollout["step"]]["counts"])
    elif stage == ACTIVATING:
        rollout["shares"] = rollout["steps"][rollout["step"]]["shares"]
    elif stage == DELETING:
        _count(state["current"], rollout["steps"][rollout["step"]]["left"])
    rollout["stage"], rollout["since"] = stage, now
    return False


def _after(state: EndpointState, rollout: Rollout) -> str | None:
    """The stage that follows; None after the last."""
    step, last = rollout["steps"][rollout["step"]], rollout["step"] == len(rollout["steps"]) - 1
    stages = {
        CREATING: True,
        ACTIVATING: True,
        BAKING: rollout["wait"] > 0,
        WAITING: last and rollout["termination"] > 0,
        DELETING: not last and step["left"] != counts(state["current"]),
    }
    order = list(stages)
    follow = [stage for stage in order[order.index(rollout["stage"]) + 1 :] if stages[stage]]
    return follow[0] if follow else None if last else CREATING


def due(rollout: Rollout) -> float:
    """When the stage ends by the clock (epoch seconds)."""
    length = {BAKING: rollout["wait"], WAITING: rollout["termination"]}.get(rollout["stage"], 0.0)
    return rollout["since"] + length


def seconds_left(rollout: Rollout, now: float) -> float | None:
    """Until something is due by the clock, or the alarms are to be looked at; None where neither is."""
    found = [due(rollout) - now] if rollout["stage"] in (BAKING, WAITING) else []
    if "limit" in rollout:
        found.append(rollout["started"] + rollout["limit"] - now + 0.01)
    if rollout["alarms"]:
        found.append(ALARMS_SECONDS)
    return max(0.0, min(found)) if found else None


def turn_back(state: EndpointState, now: float) -> bool:
    """Begin the way back, changing `state`; whether there is none to go: all of the old fleet is still there."""
    rollout = state.get("rollout")
    steps = way_back(rollout, counts(state["current"]), counts(state["next"])) if rollout else []
    if not rollout or not steps:
        return True
    rollout["steps"], rollout["step"], rollout["stage"], rollout["since"] = steps, 0, CREATING, now
    _count(state["current"], steps[0]["counts"])
    return False


def backward(state: EndpointState, now: float) -> bool:
    """Take a step back where the old instances that were wanted for it have answered; whether it was the last."""
    rollout = state["rollout"]
    if not all(map(is_ready, replicas_of(state["current"]))):
        return False
    step = rollout["steps"][rollout["step"]]
    rollout["shares"] = step["shares"]
    _count(state["next"], step["left"])
    if rollout["step"] == len(rollout["steps"]) - 1:
        return True
    rollout["step"], rollout["since"] = rollout["step"] + 1, now
    _count(state["current"], rollout["steps"][rollout["step"]]["counts"])
    return False


def counts(deployment: Deployment | None) -> dict[str, int]:
    """Instances of each variant."""
    return {variant["name"]: variant["desired_count"] for variant in (deployment or {}).get("variants", ())}


def _count(deployment: Deployment | None, wanted: Mapping[str, int]) -> None:
    for variant in (deployment or {}).get("variants", ()):
        variant["desired_count"] = wanted.get(variant["name"], variant["desired_count"])
