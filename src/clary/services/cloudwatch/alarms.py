"""Alarms of both types: described, deleted, set, enabled and disabled
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clary.alarms.rows import (
    COMPOSITE,
    KIND,
    METRIC,
    State,
    configuration,
    configured,
    key_of,
    moved,
    remember,
    type_of,
)
from clary.alarms.spec import metric_of
from clary.errors import AWSError, ValidationError
from clary.services.cloudwatch.alarm_rows import ACTIONS, not_found, shown, sorted_out
from clary.services.cloudwatch.errors import invalid_alarm, invalid_page
from clary.services.cloudwatch.families import children, named_parents, parents_of
from clary.services.cloudwatch.metric_alarms import watched
from clary.services.cloudwatch.service import SERVICE
from clary.services.context import Context
from clary.services.resources import Output, Params, page, present
from clary.store.rows import Key, Query, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

PAGE = 50
"""Alarms of an answer where the request does not say how many."""

_FAMILY = ("ChildrenOfAlarmName", "ParentsOfAlarmName")
_SHORT = ("AlarmArn", "AlarmName", "StateValue", "StateUpdatedTimestamp")


@SERVICE.operation("DescribeAlarms")
def describe(context: Context, params: Params) -> Output:
    """Metric alarms by name, composite ones where they are asked for. Raises ValidationError, InvalidNextToken."""
    family = [name for name in _FAMILY if params.get(name)]
    if family:
        return _family(context, params, family)
    if params.get("AlarmNames"):
        return _named(context, params)
    query = Query(
        KIND,
        context.account,
        context.region,
        sort_by="name",
        descending=False,
        limit=params.get("MaxRecords") or PAGE,
        token=params.get("NextToken"),
        name_prefix=params.get("AlarmNamePrefix"),
        statuses=(params["StateValue"],) if params.get("StateValue") else None,
    )
    try:
        found = page(context, query, _wanted(params))
    except ValidationError:
        raise invalid_page() from None
    return present({**sorted_out(list(found.rows)), "NextToken": found.token})


def _named(context: Context, params: Params) -> Output:
    if params.get("AlarmNamePrefix"):
        raise invalid_alarm("AlarmNames and AlarmNamePrefix cannot be specified together.")
    keys = [key_of(context.account, context.region, name) for name in sorted(set(params["AlarmNames"]))]
    rows = [row for row in map(context.store.read.get, keys) if row is not None]
    value, wanted = params.get("StateValue"), _wanted(params)
    return sorted_out([row for row in rows if wanted(row) and value in (None, row.status)])


def _wanted(params: Params) -> Callable[[Row], bool]:
    """Whether a row is of a type, and has an action, that was asked for."""
    types = params.get("AlarmTypes") or (METRIC,)
    prefix = params.get("ActionPrefix")

    def wanted(row: Row) -> bool:
        if type_of(row) not in types:
            return False
        return prefix is None or any(arn.startswith(prefix) for name in ACTIONS for arn in row.spec[name])

    return wanted


def _family(context: Context, params: Params, family: Sequence[str]) -> Output:
    """The alarms that a composite alarm's rule names, or the composite alarms that name one, in few words."""
    others = [name for name in params if name not in (*_FAMILY, "MaxRecords", "NextToken") and params[name]]
    if others or len(family) > 1:
        raise invalid_alarm(f"{family[0]} cannot be specified together with {(others or [family[1]])[0]}.")
    rows = children(context, params[family[0]]) if family[0] == _FAMILY[0] else parents_of(context, params[family[0]])
    found = sorted_out(rows)
    return {name: [{member: alarm[member] for member in _SHORT} for alarm in found[name]] for name in found}


@SERVICE.operation("DescribeAlarmsForMetric")
def describe_for_metric(context: Context, params: Params) -> Output:
    """All alarms of one metric. A statistic, a period and a unit must be those of the alarm where they are named."""
    named = [name for name in ("Statistic", "ExtendedStatistic", "Period", "Unit") if params.get(name) is not None]
    parent = Key(KIND, context.account, context.region, watched(metric_of(params)))
    rows = context.store.read.children(KIND, parent)
    return {"MetricAlarms": [shown(row) for row in rows if all(row.spec.get(name) == params[name] for name in named)]}


@SERVICE.operation("DeleteAlarms")
def delete(context: Context, params: Params) -> Output:
    """All of them. Raises ResourceNotFound, and ValidationError for one that a composite alarm needs."""
    keys = [key_of(context.account, context.region, name) for name in dict.fromkeys(params["AlarmNames"])]
    now = time.time()

    def change(transaction: Transaction) -> None:
        rows = [row for row in map(transaction.get, keys) if row is not None]
        if len(rows) < len(keys):
            raise not_found()
        _check_deletion(transaction, rows)
        for row in rows:
            transaction.delete(row.key)
            remember(transaction, row, "ConfigurationUpdate", f'Alarm "{row.key.name}" deleted',
                     configured(row, "Delete", now), now)  # fmt: skip

    context.store.write(change)
    for key in keys:
        context.wake(key)
    return {}


def _check_deletion(transaction: Transaction, rows: Sequence[Row]) -> None:
    if len(rows) > 1 and sum(type_of(row) == COMPOSITE for row in rows) > 1:
        raise invalid_alarm("You can delete at most one composite alarm in one operation.")
    blocked = [row.key.name for row in rows if named_parents(transaction, row.key)]
    if blocked:
        word = "it" if len(blocked) == 1 else "them"
        raise invalid_alarm(f"Cannot delete {','.join(blocked)} as there are composite alarm(s) depending on {word}.")


@SERVICE.operation("SetAlarmState")
def set_state(context: Context, params: Params) -> Output:
    """Until the alarm is evaluated the next time; its actions are carried out. Raises ResourceNotFound,
    InvalidFormat."""
    to = State(params["StateValue"], params["StateReason"], params.get("StateReasonData") or "")
    if to.data and not _is_json(to.data):
        raise AWSError("InvalidFormat", "StateReasonData was not valid JSON")

    def change(transaction: Transaction, row: Row) -> None:
        moved(transaction, row, to, time.time())

    _change(context, [params["AlarmName"]], change, must=True)
    return {}


@SERVICE.operation("EnableAlarmActions")
def enable(context: Context, params: Params) -> Output:
    """Names of alarms that are not there are nothing."""
    return _switch(context, params["AlarmNames"], enabled=True)


@SERVICE.operation("DisableAlarmActions")
def disable(context: Context, params: Params) -> Output:
    """Names of alarms that are not there are nothing."""
    return _switch(context, params["AlarmNames"], enabled=False)


def _switch(context: Context, names: Sequence[str], *, enabled: bool) -> Output:
    def change(transaction: Transaction, row: Row) -> None:
        if row.spec["ActionsEnabled"] == enabled:
            return
        now = time.time()
        spec, state = {**row.spec, "ActionsEnabled": enabled}, {**row.state, **configuration(now)}
        kept = transaction.save(replace(row, spec=spec, state=state, modified=datetime.fromtimestamp(now, UTC)))
        remember(transaction, kept, "ConfigurationUpdate", f'Alarm "{row.key.name}" updated',
                 configured(kept, "Update", now), now)  # fmt: skip

    _change(context, names, change, must=False)
    return {}


def _change(context: Context, names: Sequence[str], change: Callable[[Transaction, Row], None], *, must: bool) -> None:
    """Several alarms in one transaction; where they `must` be there, raises ResourceNotFound."""
    keys = [key_of(context.account, context.region, name) for name in dict.fromkeys(names)]

    def apply(transaction: Transaction) -> None:
        for row in map(transaction.get, keys):
            if row is not None:
                change(transaction, row)
            elif must:
                raise not_found()

    context.store.write(apply)
    for key in keys:
        context.wake(key)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
