"""VariantStatus: which stage of its deployment a variant is in
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariantStatus.html; the messages as in
https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html)."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from clary.lifecycles.endpoint import ROLLING_BACK, UPDATING, Variant, is_ready
from clary.lifecycles.rollout import ACTIVATING, BAKING, CREATING, DELETING, WAITING, Rollout
from clary.services.resources import Output
from clary.store.rows import Row

_UPDATING = "Updating"


def coming_status(row: Row, variant: Variant) -> list[Output] | None:
    """Of a variant of the new fleet; None where nothing goes on with it."""
    rollout: Rollout | None = row.state.get("rollout")
    if rollout is None or row.status != UPDATING:
        return None
    stage = rollout["stage"]
    if stage == CREATING:
        return _status(CREATING, _launching(variant), rollout["since"])
    active = _active(rollout, variant)
    if stage == ACTIVATING:
        return _status(ACTIVATING, f"Activating traffic on {active}.", rollout["since"])
    if stage in (BAKING, WAITING):
        seconds, member = (
            (rollout["wait"], "WaitIntervalInSeconds")
            if stage == BAKING
            else (rollout["termination"], "TerminationWaitInSeconds")
        )
        text = f"Baking for {seconds:.0f} seconds ({member}) with traffic enabled on {active}."
        return _status(BAKING, text, rollout["since"])
    return None


def serving_status(row: Row, variant: Variant, wanted: int) -> list[Output] | None:
    """Of a variant that serves, of which `wanted` instances are; None where nothing goes on with it."""
    rollout: Rollout | None = row.state.get("rollout")
    if rollout is None:
        count = variant["desired_count"]
        if row.status != UPDATING or wanted == count:
            return None
        way = "out" if wanted > count else "in"
        return _status(_UPDATING, f"Scaling {way} desired instance count to {wanted}.", row.modified.timestamp())
    if row.status == ROLLING_BACK:
        return _status(CREATING, _launching(variant), rollout["since"])
    if row.status == UPDATING and rollout["stage"] == DELETING:
        name = variant["name"]
        steps, number = rollout["steps"], rollout["step"]
        earlier = steps[number - 1]["left"] if number else rollout["before"]
        ending = earlier[name] - steps[number]["left"][name]
        return _status(DELETING, f"Terminating {ending} instance(s).", rollout["since"])
    return None


def _status(status: str, text: str, since: float) -> list[Output]:
    return [{"Status": status, "StatusMessage": text, "StartTime": datetime.fromtimestamp(since, UTC)}]


def _launching(variant: Variant) -> str:
    return f"Launching {variant['desired_count'] - _ready(variant)} instance(s)."


def _active(rollout: Rollout, variant: Variant) -> str:
    """How much of the new fleet takes traffic, in instances."""
    name = variant["name"]
    share = rollout["shares"].get(name, 1.0)
    instances = math.ceil(share * rollout["goal"][name] - 1e-9)
    part = "full" if share == 1.0 else "canary" if rollout["type"] == "CANARY" else "partial"
    return f"{part} capacity of {instances} instance(s)"


def _ready(variant: Variant) -> int:
    return sum(map(is_ready, variant.get("replicas", ())))


def goal(row: Row, variant: Variant) -> int:
    """Instances of a variant of the new fleet in the end."""
    rollout: dict[str, Any] = row.state.get("rollout") or {}
    found: int = rollout.get("goal", {}).get(variant["name"], variant["desired_count"])
    return found
