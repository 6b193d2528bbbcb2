"""What policies and targets are to CloudWatch: alarms made and deleted by calling operations, as the account's
service-linked role does on AWS."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from clary.calls import Call, account_root
from clary.errors import AWSError
from clary.scaling.resource import parse
from clary.scaling.rows import OVERRIDDEN, POLICY_KIND, SCHEDULED_KIND, UNDER_WAY, activity_key, told
from clary.scaling.tracking import HIGH, LOW, alarm_params
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # the edge knows this module by its service, and shall not load a database
    from clary.store import Store
    from clary.store.transaction import Transaction

Invoke = Callable[[Call], dict[str, Any]]
"""Carries out a call inside control."""

ALARMS = "alarms"
"""In a policy's state: the names of its own alarms, by `AlarmHigh` and `AlarmLow`."""

_OURS = 500
"""From this HTTP status on it is not what was asked for that is wrong: it may be tried again."""

_CREATED_BY = ":createdBy/"
_NOT_THERE = frozenset({"ResourceNotFound", "ResourceNotFoundException"})

_log = logging.getLogger(__name__)


def new_alarm_names(target: str) -> dict[str, str]:
    """Of a target tracking policy of this target."""
    resource_id = parse(target).resource_id
    return {which: f"TargetTracking-{resource_id}-{which}-{uuid.uuid4()}" for which in (HIGH, LOW)}


def policy_arn_in(action: str) -> str:
    """The policy that an alarm's action is; AWS's own alarms say besides who has made them."""
    return action.partition(_CREATED_BY)[0]


def put_alarms(invoke: Invoke, policy: Row) -> None:
    """Those of a target tracking policy, as it is now. Raises AWSError."""
    resource = parse(policy.parent)
    action = f"{policy.arn}{_CREATED_BY}{uuid.uuid5(uuid.NAMESPACE_URL, policy.arn)}"
    for which, name in policy.state[ALARMS].items():
        params = {
            "AlarmName": name,
            "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {action}.",
            "AlarmActions": [action],
            **alarm_params(which, resource, policy.spec["config"]),
        }
        _call(invoke, policy.key, "PutMetricAlarm", params)


def delete_alarms(invoke: Invoke, owner: Key, names: Iterable[str]) -> None:
    """Those that are gone already are nothing. Raises AWSError."""
    for name in names:
        try:
            _call(invoke, owner, "DeleteAlarms", {"AlarmNames": [name]})
        except AWSError as error:
            if error.code not in _NOT_THERE:
                raise


def leave(store: Store, invoke: Invoke, target: Row) -> None:
    """A target goes, with its policies, their alarms and its scheduled actions; may be called again.

    Raises AWSError.
    """
    for policy in store.read.children(POLICY_KIND, target.key):
        for name in policy.state.get(ALARMS, {}).values():
            _let_go(invoke, target.key, name)

    def change(transaction: Transaction) -> None:
        _end_activity(transaction, target.key)
        for kind in (POLICY_KIND, SCHEDULED_KIND):
            for row in transaction.children(kind, target.key):
                transaction.delete(row.key)
        transaction.delete(target.key)

    store.write(change)


def _let_go(invoke: Invoke, owner: Key, alarm: str) -> None:
    """One that a composite alarm of its user's names stays: it calls a policy that is not there."""
    try:
        delete_alarms(invoke, owner, [alarm])
    except AWSError as error:
        if error.status >= _OURS:
            raise
        _log.warning("%s: the alarm %s stays: %s", owner.name, alarm, error)


def _end_activity(transaction: Transaction, target: Key) -> None:
    """What is under way is nobody's any more: whether the endpoint still becomes so is not looked at."""
    row = transaction.get(target)
    under_way = row.state.get(UNDER_WAY) if row else None
    if under_way:
        now = time.time()
        told(transaction, activity_key(target, under_way["activity"]), OVERRIDDEN, {"ended": now}, now)


def _call(invoke: Invoke, owner: Key, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
    call = Call(account_root(owner.account), "cloudwatch", operation, dict(params), owner.region, parent=owner.name)
    return invoke(call)
