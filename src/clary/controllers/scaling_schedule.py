"""Scheduled actions: when one is due, its target has other bounds, which its controller enforces."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from clary.scaling.rows import FAILED, OUT_OF_BOUNDS, SCHEDULED_KIND, SUCCESSFUL, begun, target_of
from clary.scaling.scheduled import schedule_of
from clary.store import Store
from clary.store.rows import Key, Row
from clary.store.transaction import Transaction

_LONGEST_WAIT = 60.0
"""The system's clock may be set meanwhile."""


class ScheduleController:
    """Reconciles scheduled actions. One that was due while Clary was down is carried out once, when it is up again."""

    def __init__(self, store: Store, wake: Callable[[Key], None]) -> None:
        self._store = store
        self._wake = wake

    def resume(self) -> list[Key]:
        """After a start of control."""
        return [row.key for row in self._store.read.rows(SCHEDULED_KIND)]

    def reconcile(self, key: Key) -> float | None:
        """Carry it out where it is due."""
        while (row := self._store.read.get(key)) is not None:
            due, now = row.state["due"], time.time()
            if due is None:
                return None
            if now < due:
                return min(float(due) - now, _LONGEST_WAIT)
            self._carry_out(row, now)
        return None

    def _carry_out(self, seen: Row, now: float) -> None:
        """The bounds, the activity that says so and the next time, in one transaction."""
        following = schedule_of(seen).after(datetime.fromtimestamp(now, UTC))

        def change(transaction: Transaction) -> None:
            transaction.save(replace(seen, state={"due": following.timestamp() if following else None}))
            target = transaction.get(target_of(seen))
            if target is not None and not target.spec["SuspendedState"].get("ScheduledScalingSuspended"):
                _apply(transaction, target, seen.spec, now)

        self._store.write(change)
        self._wake(target_of(seen))


def _apply(transaction: Transaction, target: Row, action: Mapping[str, Any], now: float) -> None:
    wanted = {name: value for name, value in action["ScalableTargetAction"].items() if value is not None}
    spec = {**target.spec, **wanted}
    bounds = f"min capacity to {spec['MinCapacity']} and max capacity to {spec['MaxCapacity']}"
    said = {
        "Description": f"Setting {bounds}",
        "Cause": f"scheduled action name {action['name']} was triggered",
        "StatusMessage": f"Successfully set {bounds}",
    }
    if spec["MinCapacity"] > spec["MaxCapacity"]:
        reason = "Maximum capacity cannot be less than minimum capacity"
        begun(
            transaction, target.key, FAILED, {**said, "StatusMessage": f"Failed to set {bounds}. Reason: {reason}"}, now
        )
        return
    begun(transaction, target.key, SUCCESSFUL, said, now)
    transaction.save(replace(target, spec=spec, state={**target.state, OUT_OF_BOUNDS: True}))
