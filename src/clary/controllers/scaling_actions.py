"""What alarms ask of scaling policies: written down with their targets, exactly once for each change."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from clary.controllers.alarm_actions import REPEATED, Action
from clary.errors import AWSError
from clary.scaling.effects import ALARMS, policy_arn_in
from clary.scaling.rows import HEARD, POLICY_KIND, TRIGGERS, target_of
from clary.store import Store
from clary.store.rows import Key, Row
from clary.store.transaction import Transaction

_LARGEST = 2.0**360
"""What CloudWatch takes as a value."""


@dataclass(frozen=True)
class ScaleByPolicy:
    """Carries out `arn:aws:autoscaling:…:scalingPolicy:…` of an alarm: the target's controller decides."""

    store: Store
    wake: Callable[[Key], None]
    repeats: bool = True

    def __call__(self, action: Action) -> None:
        """Raises AWSError where the policy is not there."""
        policy = self.store.read.by_arn(policy_arn_in(action.arn))
        if policy is None or policy.key.kind != POLICY_KIND or not _beside(policy.key, action.alarm.key):
            # no public source shows AWS's text
            raise AWSError("ObjectNotFoundException", f"No scaling policy found for ARN: {action.arn}")
        target, trigger = target_of(policy), _trigger(policy, action)

        def change(transaction: Transaction) -> None:
            row = transaction.get(target)
            if row is not None and row.state.get(HEARD, {}).get(action.alarm.key.name) != trigger["id"]:
                transaction.save(replace(row, state=_heard(row, policy, trigger)))

        self.store.write(change)
        self.wake(target)


def _beside(one: Key, other: Key) -> bool:
    return (one.account, one.region) == (other.account, other.region)


def _trigger(policy: Row, action: Action) -> dict[str, Any]:
    state, alarm = action.change["state"], action.alarm
    own = {name: which for which, name in policy.state.get(ALARMS, {}).items()}
    data = _reasons(state["data"])
    return {
        "id": f"{state['timestamp']} {action.change.get(REPEATED, '')}",
        "alarm": alarm.key.name,
        "state": state["value"],
        "which": own.get(alarm.key.name, ""),
        "points": list(_points(data.get("recentDatapoints", ()))),
        "threshold": float(alarm.spec.get("Threshold", 0.0)),
        "at": time.time(),
    }


def _reasons(text: str) -> Mapping[str, Any]:
    """StateReasonData, which SetAlarmState brings as it likes."""
    said = json.loads(text) if text else {}
    good = isinstance(said, dict) and isinstance(said.get("recentDatapoints", []), list)
    return said if good else {}


def _points(found: Iterable[Any]) -> Iterator[float]:
    return (float(value) for value in found if isinstance(value, (int, float)) and abs(value) < _LARGEST)


def _heard(row: Row, policy: Row, trigger: Mapping[str, Any]) -> dict[str, Any]:
    """The newest of each policy counts."""
    triggers = {**row.state.get(TRIGGERS, {}), policy.spec["name"]: trigger}
    heard = {**row.state.get(HEARD, {}), trigger["alarm"]: trigger["id"]}
    return {**row.state, TRIGGERS: triggers, HEARD: heard}
