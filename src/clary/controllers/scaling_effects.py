"""Doing what `scaling.next_step` says."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clary.calls import Call, account_root
from clary.controllers.logs import Invoke
from clary.controllers.loop import Again
from clary.controllers.scaling import (
    AT_REST,
    LOOK_SECONDS,
    Ask,
    Decide,
    Finish,
    Leave,
    Wait,
    failed,
    next_step,
    setting,
    waiting,
)
from clary.errors import AWSError
from clary.scaling.decision import NotScaled, Scale
from clary.scaling.effects import ALARMS, leave
from clary.scaling.resource import parse
from clary.scaling.rows import (
    COOLDOWN,
    FAILED,
    IN_PROGRESS,
    NOT_SCALED,
    OUT_OF_BOUNDS,
    PENDING,
    POLICY_KIND,
    SUCCESSFUL,
    TARGET_KIND,
    TRACKING,
    TRIGGERS,
    UNDER_WAY,
    activity_key,
    begun,
    endpoint_key,
    scaled,
    told,
)
from clary.scaling.tracking import LOW
from clary.store import Store
from clary.store.rows import Key, Row
from clary.store.transaction import Transaction

_LATER = frozenset({"ServiceUnavailable", "ThrottlingException", "InternalFailure"})

_log = logging.getLogger(__name__)


class ScalingController:
    """Reconciles scalable targets."""

    def __init__(self, store: Store, invoke: Invoke) -> None:
        self._store = store
        self._invoke = invoke

    def resume(self) -> list[Key]:
        """After a start of control."""
        return [row.key for row in self._store.read.rows(TARGET_KIND)]

    def targets_of(self, endpoint: Key) -> list[Key]:
        """Whoever is to know when an endpoint changes."""
        return [row.key for row in self._store.read.children(TARGET_KIND, endpoint)]

    def reconcile(self, key: Key) -> float | None:
        """Go on until something has to be waited for."""
        try:
            return self._go_on(key)
        except AWSError as error:
            raise Again(LOOK_SECONDS, str(error)) from None

    def _go_on(self, key: Key) -> float | None:
        while (row := self._store.read.get(key)) is not None:
            policies = {each.spec["name"]: each for each in self._store.read.children(POLICY_KIND, key)}
            endpoint = self._store.read.get(endpoint_key(key))
            step = next_step(row, endpoint, policies, self._agreed(row, policies), time.time())
            match step:
                case Wait(seconds):
                    return seconds
                case Leave():
                    leave(self._store, self._invoke, row)
                case Ask():
                    if not self._ask(row):
                        return LOOK_SECONDS
                case Finish():
                    self._finish(row, step)
                case Decide(decision):
                    self._decided(row, endpoint, decision)
        return None

    # deciding

    def _agreed(self, row: Row, policies: Mapping[str, Row]) -> Mapping[str, bool]:
        """For each policy that would remove instances, whether all others that track a target would as well."""
        asking = [name for name, said in row.state.get(TRIGGERS, {}).items() if said["which"] == LOW]
        low = {
            name: policy.state[ALARMS][LOW]
            for name, policy in policies.items()
            if policy.spec["type"] == TRACKING and not policy.spec["config"].get("DisableScaleIn")
        }
        others = {name: [alarm for other, alarm in low.items() if other != name] for name in asking}
        return {name: self._all_in_alarm(row.key, alarms) for name, alarms in others.items()}

    def _all_in_alarm(self, owner: Key, names: list[str]) -> bool:
        if not names:
            return True
        found = self._call(owner, "cloudwatch", "DescribeAlarms", {"AlarmNames": names, "StateValue": "ALARM"})
        return len(found["MetricAlarms"]) == len(names)

    def _decided(self, seen: Row, endpoint: Row | None, decision: Scale | NotScaled | None) -> None:
        """What was asked for is answered, with what follows, in one transaction."""
        variant = scaled(endpoint, seen.key) if endpoint else None
        current, now = parse(seen.key.name).capacity(variant) if variant else 0, time.time()

        def change(transaction: Transaction) -> None:
            state = {name: value for name, value in seen.state.items() if name not in (TRIGGERS, OUT_OF_BOUNDS)}
            if isinstance(decision, NotScaled):
                state |= _noted(transaction, seen, decision, now)
            elif decision is not None:
                state = {**state, UNDER_WAY: _under_way(transaction, seen, decision, current, now)}
                state.pop(NOT_SCALED, None)
            transaction.save(replace(seen, state=state))

        self._store.write(change)

    # carrying out

    def _ask(self, row: Row) -> bool:
        """Whether the endpoint has been asked, or will never be."""
        under_way = row.state[UNDER_WAY]
        resource, capacity = parse(row.key.name), under_way["capacity"]
        operation, params = resource.request(capacity)
        try:
            self._call(row.key, "sagemaker", operation, params, under_way["id"])
        except AWSError as error:
            endpoint = self._store.read.get(endpoint_key(row.key))
            if error.code in _LATER or (endpoint is not None and endpoint.status not in AT_REST):
                return False
            _log.info("%s was not scaled: %s", row.key.name, error)
            self._finish(row, Finish(FAILED, failed(resource.counted, capacity, error.message)))
            return True
        self._move(
            row, {**under_way, "asked": True}, IN_PROGRESS, {"StatusMessage": waiting(resource.counted, capacity)}
        )
        return True

    def _finish(self, row: Row, step: Finish) -> None:
        now = time.time()
        said = {"ended": now, **({"StatusMessage": step.message} if step.message else {})}
        self._move(row, None, step.status, said)

    def _move(self, row: Row, under_way: Mapping[str, Any] | None, status: str, said: Mapping[str, Any]) -> None:
        """The target and its activity, in one transaction."""
        before, now = row.state[UNDER_WAY], time.time()
        state = {**row.state, UNDER_WAY: under_way}
        if status == SUCCESSFUL and before["cooldown"] is not None:
            until = now + before["cooldown"]
            state[COOLDOWN] = {"direction": before["direction"], "base": before["base"], "until": until}
        activity = activity_key(row.key, before["activity"])

        def change(transaction: Transaction) -> None:
            transaction.save(replace(row, state=state))
            told(transaction, activity, status, said, now)

        self._store.write(change)

    def _call(
        self, owner: Key, service: str, operation: str, params: dict[str, Any], invocation: str = ""
    ) -> dict[str, Any]:
        principal = account_root(owner.account)
        call = Call(principal, service, operation, params, owner.region, invocation_id=invocation, parent=owner.name)
        return self._invoke(call)


def _noted(transaction: Transaction, row: Row, decision: NotScaled, now: float) -> dict[str, Any]:
    """The same reason is not recorded again each minute."""
    if row.state.get(NOT_SCALED) != decision.reason["Code"]:
        said = {
            "Description": "Attempting to scale due to alarm triggered",
            "Cause": decision.cause,
            "NotScaledReasons": [decision.reason],
        }
        begun(transaction, row.key, FAILED, said, now)
    return {NOT_SCALED: decision.reason["Code"]}


def _under_way(transaction: Transaction, row: Row, decision: Scale, current: int, now: float) -> dict[str, Any]:
    said = {"Description": setting(parse(row.key.name).counted, decision.capacity), "Cause": decision.cause}
    activity = begun(transaction, row.key, PENDING, said, now)
    return {
        "activity": activity.key.name,
        "id": activity.spec["ActivityId"],
        "asked": False,
        "capacity": decision.capacity,
        "base": current,
        "direction": decision.direction,
        "cooldown": decision.cooldown,
    }
