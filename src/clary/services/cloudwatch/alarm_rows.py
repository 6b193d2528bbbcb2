"""What operations on alarms have in common: finding them, showing them, keeping a new configuration."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from clary.alarms.reasons import CREATED
from clary.alarms.rows import COMPOSITE, METRIC, arn_of, configuration, configured, key_of, remember, type_of
from clary.alarms.spec import INSUFFICIENT_DATA
from clary.errors import AWSError
from clary.names import Arn
from clary.services.cloudwatch.errors import invalid_alarm
from clary.services.context import Context
from clary.services.resources import Output, Params, moment, present
from clary.services.tags import checked_tags
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

ACTIONS = ("OKActions", "AlarmActions", "InsufficientDataActions")

_CONTROL = 32
_DELETE = 127


def checked_name(name: str) -> str:
    """Raises ValidationError."""
    if any(ord(letter) < _CONTROL or ord(letter) == _DELETE for letter in name):
        raise invalid_alarm("AlarmName must not contain ASCII Control characters")
    return name


def checked_actions(params: Params) -> dict[str, Any]:
    """The members that all alarms share, with AWS's defaults. Raises ValidationError."""
    lists = {name: list(params.get(name) or ()) for name in ACTIONS}
    for arn in (arn for arns in lists.values() for arn in arns):
        try:
            Arn.parse(arn)
        except ValueError:
            raise invalid_alarm(f"Invalid arn syntax: {arn}") from None
    if params.get("ActionConfiguration"):
        raise invalid_alarm("Clary does not offer ActionConfiguration.")
    enabled = params.get("ActionsEnabled")
    return {**lists, "ActionsEnabled": True if enabled is None else enabled}


def keep(context: Context, spec: Mapping[str, Any], kind: str, tags: Mapping[str, str], parent: str) -> None:
    """A new alarm, or a new configuration of one: its state is kept then, and its tags. Raises ValidationError."""
    key = key_of(context.account, context.region, spec["AlarmName"])
    now = time.time()

    def change(transaction: Transaction) -> None:
        there = transaction.get(key)
        if there is None:
            row = transaction.insert(_new(key, spec, parent, now))
            transaction.set_tags(row.arn, tags)
            remember(transaction, row, "ConfigurationUpdate", f'Alarm "{key.name}" created',
                     configured(row, "Create", now), now)  # fmt: skip
            return
        if type_of(there) != kind:
            noun = "composite" if type_of(there) == COMPOSITE else "metric"
            raise invalid_alarm(f"There is a {noun} alarm with the name {key.name} already.")
        row = transaction.save(_updated(there, spec, parent, now))
        remember(transaction, row, "ConfigurationUpdate", f'Alarm "{key.name}" updated',
                 configured(row, "Update", now), now)  # fmt: skip

    context.store.write(change)
    context.wake(key)


def _new(key: Key, spec: Mapping[str, Any], parent: str, now: float) -> Row:
    made = datetime.fromtimestamp(now, UTC)
    state = {"reason": CREATED, "updated": now, "transitioned": now, **configuration(now)}
    return Row(key, arn_of(key), INSUFFICIENT_DATA, made, made, spec, state, parent=parent)


def _updated(row: Row, spec: Mapping[str, Any], parent: str, now: float) -> Row:
    state = {**row.state, **configuration(now)}
    return replace(row, spec=spec, state=state, parent=parent, modified=datetime.fromtimestamp(now, UTC))


def checked_alarm_tags(params: Params) -> dict[str, str]:
    """Raises ValidationError."""
    return checked_tags(params.get("Tags") or ())


def find(context: Context, name: str) -> Row:
    """The alarm. Raises ResourceNotFound, whose message AWS leaves empty."""
    row = context.store.read.get(key_of(context.account, context.region, name))
    if row is None:
        raise not_found()
    return row


def not_found() -> AWSError:
    """There is no such alarm."""
    return AWSError("ResourceNotFound", "", status=404)


def shown(row: Row) -> Output:
    """A `MetricAlarm` or a `CompositeAlarm`."""
    return present(
        {
            **row.spec,
            "AlarmArn": row.arn,
            "AlarmConfigurationUpdatedTimestamp": moment(row.state["configured"]),
            "StateValue": row.status,
            "StateReason": row.state["reason"],
            "StateReasonData": row.state.get("data") or None,
            "StateUpdatedTimestamp": moment(row.state["updated"]),
            "StateTransitionedTimestamp": moment(row.state["transitioned"]),
        }
    )


def sorted_out(rows: list[Row]) -> Output:
    """As DescribeAlarms answers."""
    return {
        "CompositeAlarms": [shown(row) for row in rows if type_of(row) == COMPOSITE],
        "MetricAlarms": [shown(row) for row in rows if type_of(row) == METRIC],
        "LogAlarms": [],
    }
