"""Alarms as rows: `status` is the state, `spec` the configuration. What an alarm does in one transaction stands here:
it changes its state, remembers that, and has its actions carried out afterwards."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from clary.alarms.reasons import instant
from clary.alarms.spec import ALARM, INSUFFICIENT_DATA, OK
from clary.names import Arn, random_hex
from clary.store.rows import Key, Query, Row

if TYPE_CHECKING:
    from clary.store.transaction import Transaction

KIND = "alarm"
HISTORY_KIND = "alarm-history"
"""One row for each item, below its alarm's name; items outlive their alarm."""

METRIC, COMPOSITE = "MetricAlarm", "CompositeAlarm"

COMPOSITE_PARENT = "composite"
"""What all composite alarms are below; metric alarms are below their metric."""

KEPT = timedelta(days=30)
"""AWS keeps history so long."""

PENDING = "pending"
"""In a row's state: changes whose actions are to be carried out, oldest first."""

REVISION = "revision"
"""In a row's state: another one for each configuration."""

_ACTIONS = {OK: "OKActions", ALARM: "AlarmActions", INSUFFICIENT_DATA: "InsufficientDataActions"}
_FORGOTTEN_AT_ONCE = 10
_ITEMS = itertools.count()


@dataclass(frozen=True)
class State:
    """What an alarm changes to."""

    value: str
    reason: str
    data: str = ""
    """JSON; empty where there is none."""


def key_of(account: str, region: str, name: str) -> Key:
    """Of the alarm `name`: metric alarms and composite ones share their names."""
    return Key(KIND, account, region, name)


def arn_of(key: Key) -> str:
    """`arn:aws:cloudwatch:REGION:ACCOUNT:alarm:NAME`."""
    return str(Arn("cloudwatch", key.region, key.account, f"alarm:{key.name}"))


def name_in(arn: str) -> str:
    """The name of the alarm that an ARN names. Raises ValueError for another ARN."""
    found = Arn.parse(arn)
    kind, _, name = found.resource.partition(":")
    if found.service != "cloudwatch" or kind != "alarm" or not name:
        raise ValueError(f"no alarm: {arn!r}")
    return name


def type_of(row: Row) -> str:
    """`MetricAlarm` or `CompositeAlarm`."""
    return COMPOSITE if "AlarmRule" in row.spec else METRIC


def actions_of(row: Row, value: str) -> list[str]:
    """The ARNs that are called when the alarm changes to this state; none while its actions are disabled."""
    return list(row.spec[_ACTIONS[value]]) if row.spec["ActionsEnabled"] else []


def moved(transaction: Transaction, row: Row, to: State, now: float) -> Row:
    """The alarm in its new state, as stored; where it is in that state already, only the reason is new."""
    before, changed = state_of(row), row.status != to.value
    state = {**row.state, "reason": to.reason, "data": to.data, "updated": now}
    if changed:
        state["transitioned"] = now
        actions = actions_of(row, to.value)
        if actions:
            change = {"actions": actions, "state": {**_said(to), "timestamp": now}, "previous": before}
            state[PENDING] = [*row.state.get(PENDING, ()), change]
        _remember_move(transaction, row, to, now)
    return transaction.save(replace(row, status=to.value, state=state, modified=datetime.fromtimestamp(now, UTC)))


def state_of(row: Row) -> dict[str, Any]:
    """The state that a row is in: value, reason, data, and since when."""
    known = State(row.status, row.state["reason"], row.state.get("data", ""))
    return {**_said(known), "timestamp": row.state["updated"]}


def _said(state: State) -> dict[str, Any]:
    return {"value": state.value, "reason": state.reason, "data": state.data}


def _remember_move(transaction: Transaction, row: Row, to: State, now: float) -> None:
    old = State(row.status, row.state["reason"], row.state.get("data", ""))
    data = {"version": "1.0", "oldState": _historic(old), "newState": _historic(to)}
    remember(transaction, row, "StateUpdate", f"Alarm updated from {old.value} to {to.value}", data, now)


def _historic(state: State) -> dict[str, Any]:
    said: dict[str, Any] = {"stateValue": state.value, "stateReason": state.reason}
    return {**said, "stateReasonData": json.loads(state.data)} if state.data else said


def remember(transaction: Transaction, row: Row, kind: str, summary: str, data: Mapping[str, Any], now: float) -> None:
    """An item of history: `StateUpdate`, `Action` or `ConfigurationUpdate`. Items of long ago are forgotten for it."""
    made = datetime.fromtimestamp(now, UTC)
    key = Key(HISTORY_KIND, row.key.account, row.key.region, _item_name(now))
    spec = {"summary": summary, "data": json.dumps(data, separators=(",", ":")), "type": type_of(row)}
    transaction.insert(Row(key, "", kind, made, made, spec, parent=row.key.name))
    _forget(transaction, key, made - KEPT)


def _item_name(now: float) -> str:
    """Of items of one moment the later one's name is greater."""
    return f"{int(now * 1e6):017d}-{next(_ITEMS):09d}-{random_hex(2)}"


def _forget(transaction: Transaction, of: Key, before: datetime) -> None:
    query = Query(of.kind, of.account, of.region, descending=False, limit=_FORGOTTEN_AT_ONCE, created_before=before)
    for row in transaction.page(query).rows:
        transaction.delete(row.key)


def configuration(now: float) -> dict[str, Any]:
    """What a row's state says of a new configuration."""
    return {"configured": now, REVISION: random_hex(4)}


def configured(row: Row, what: str, now: float) -> dict[str, Any]:
    """What history holds of an alarm that was made, changed or deleted: `what` is `Create`, `Update` or `Delete`."""
    member = {"Create": "createdAlarm", "Update": "updatedAlarm", "Delete": "deletedAlarm"}[what]
    said = {name[0].lower() + name[1:]: value for name, value in row.spec.items()}
    said |= {"alarmArn": row.arn, "stateValue": row.status, "stateUpdatedTimestamp": instant(row.state["updated"])}
    return {"version": "1.0", "type": what, member: {**said, "alarmConfigurationUpdatedTimestamp": instant(now)}}
