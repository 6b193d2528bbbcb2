"""Scaling policies
(https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.calls import Call, account_root
from clary.errors import AWSError, ValidationError
from clary.names import Arn
from clary.scaling.effects import ALARMS, delete_alarms, new_alarm_names, policy_arn_in, put_alarms
from clary.scaling.rows import POLICY_KIND, TRACKING, below, new_policy_arn
from clary.services.applicationautoscaling.errors import no_policy, no_target
from clary.services.applicationautoscaling.places import listed, named, parents_of, place_of, query_of
from clary.services.applicationautoscaling.policy_spec import configured, metric_of, shown
from clary.services.applicationautoscaling.service import SERVICE
from clary.services.context import Context
from clary.services.resources import Output, Params, now
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction


@SERVICE.operation("PutScalingPolicy")
def put(context: Context, params: Params) -> Output:
    """A target tracking policy has its alarms when this returns. Raises ObjectNotFoundException, ValidationError, and
    what CloudWatch says of a metric."""
    target = place_of(context, params)
    key, made = below(POLICY_KIND, target, params["PolicyName"]), now()
    before = context.store.read.get(key)

    def change(transaction: Transaction) -> Row:
        if transaction.get(target) is None:
            raise no_target(params)
        row = transaction.get(key)
        spec = configured(params, row.spec if row else {})
        _check_metric(transaction, target, spec)
        if row is None:
            arn = new_policy_arn(target, params["PolicyName"])
            row = transaction.insert(Row(key, arn, "", made, made, spec, parent=target.name))
        return transaction.save(replace(row, spec=spec, state=_state(row, spec), modified=made))

    stored = context.store.write(change)
    kept = stored.state.get(ALARMS, {})
    delete_alarms(context.invoke, target, [name for name in _own(before) if name not in kept.values()])
    if kept:
        _put_alarms(context, stored, before)
    return {"PolicyARN": stored.arn, "Alarms": _own_alarms(stored)}


def _put_alarms(context: Context, stored: Row, before: Row | None) -> None:
    """What CloudWatch does not take is no policy. Raises ValidationError."""
    try:
        put_alarms(context.invoke, stored)
    except AWSError as error:
        context.store.write(lambda transaction: _put_back(transaction, stored, before))
        raise ValidationError(error.message) from None


def _put_back(transaction: Transaction, stored: Row, before: Row | None) -> None:
    if before is None:
        transaction.delete(stored.key)
    else:
        transaction.save(replace(before, version=stored.version))


def _state(row: Row, spec: dict[str, Any]) -> dict[str, Any]:
    """A target tracking policy's alarms have names before they are made: putting it again makes no others."""
    if spec["type"] != TRACKING:
        return {}
    return {ALARMS: row.state.get(ALARMS) or new_alarm_names(row.parent)}


def _check_metric(transaction: Transaction, target: Key, spec: dict[str, Any]) -> None:
    if spec["type"] != TRACKING:
        return
    for row in transaction.children(POLICY_KIND, target):
        other = row.spec["type"] == TRACKING and row.spec["name"] != spec["name"]
        if other and metric_of(row.spec) == metric_of(spec):
            raise ValidationError("Only one TargetTrackingScaling policy for a given metric specification is allowed.")


def _own(row: Row | None) -> list[str]:
    return [] if row is None else list(row.state.get(ALARMS, {}).values())


def _own_alarms(row: Row) -> list[Output]:
    return [_alarm(row.key, name) for name in _own(row)]


def _alarm(key: Key, name: str) -> Output:
    return {"AlarmName": name, "AlarmARN": str(Arn("cloudwatch", key.region, key.account, f"alarm:{name}"))}


@SERVICE.operation("DescribeScalingPolicies")
def describe(context: Context, params: Params) -> Output:
    """With the alarms that call them. Raises ValidationError, InvalidNextTokenException."""
    parents, names = parents_of(params), params.get("PolicyNames")

    def wanted(row: Row) -> bool:
        return row.parent in parents and (not names or row.spec["name"] in names)

    attached = _attached(context)

    def described(row: Row) -> Output:
        alarms = _own_alarms(row) or [_alarm(row.key, name) for name in attached.get(row.arn, ())]
        where = {**named(row.parent), "PolicyARN": row.arn}
        return {**where, **shown(row.spec), "Alarms": alarms, "CreationTime": row.created}

    return listed(context, params, query_of(context, POLICY_KIND), "ScalingPolicies", described, wanted)


def _attached(context: Context) -> dict[str, list[str]]:
    """The names of the alarms that call policies, by the policies' ARNs: a step policy's are made by its user."""
    found: dict[str, list[str]] = {}
    for alarm in _alarms(context):
        actions = [*alarm["AlarmActions"], *alarm["OKActions"], *alarm["InsufficientDataActions"]]
        for arn in dict.fromkeys(map(policy_arn_in, actions)):
            found.setdefault(arn, []).append(alarm["AlarmName"])
    return found


def _alarms(context: Context) -> Iterator[Output]:
    prefix = str(Arn("autoscaling", context.region, context.account, "scalingPolicy:"))
    params: Params = {"ActionPrefix": prefix, "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
    while True:
        call = Call(account_root(context.account), "cloudwatch", "DescribeAlarms", params, context.region)
        page = context.invoke(call)
        yield from (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ()))
        if "NextToken" not in page:
            return
        params = {**params, "NextToken": page["NextToken"]}


@SERVICE.operation("DeleteScalingPolicy")
def delete(context: Context, params: Params) -> Output:
    """With its own alarms; those of its user stay. Raises ObjectNotFoundException."""
    target = place_of(context, params)
    key = below(POLICY_KIND, target, params["PolicyName"])
    row = context.store.read.get(key)
    if row is None:
        raise no_policy(params)
    delete_alarms(context.invoke, target, _own(row))
    context.store.write(lambda transaction: transaction.delete(key))
    return {}
