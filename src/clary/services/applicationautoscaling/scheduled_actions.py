"""Scheduled actions: other bounds at certain times
(https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from clary.errors import ValidationError
from clary.scaling.rows import SCHEDULED_KIND, below, endpoint_key, new_scheduled_arn
from clary.scaling.schedule import Schedule, recurs
from clary.scaling.scheduled import schedule_of
from clary.services.applicationautoscaling.errors import no_bounds, no_scheduled_action, no_target
from clary.services.applicationautoscaling.places import listed, named, parents_of, place_of, query_of
from clary.services.applicationautoscaling.service import SERVICE
from clary.services.applicationautoscaling.targets import check_bounds, fewest
from clary.services.context import Context
from clary.services.resources import Output, Params, moment, now, present
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_TIMES = ("StartTime", "EndTime")


@SERVICE.operation("PutScheduledAction")
def put(context: Context, params: Params) -> Output:
    """What a change leaves out stays. Raises ObjectNotFoundException, ValidationError."""
    target = place_of(context, params)
    key, made = below(SCHEDULED_KIND, target, params["ScheduledActionName"]), now()

    def change(transaction: Transaction) -> None:
        if transaction.get(target) is None:
            raise no_target(params)
        row = transaction.get(key)
        least = fewest(transaction.get(endpoint_key(target)))
        spec = _spec(params, row.spec if row else {}, least)
        if row is None:
            arn = new_scheduled_arn(target, params["ScheduledActionName"])
            row = transaction.insert(Row(key, arn, "", made, made, spec, parent=target.name))
        due = _checked(replace(row, spec=spec), made).after(made)
        if due is None:
            # no public source shows AWS's text
            raise ValidationError("The schedule has no time in the future")
        transaction.save(replace(row, spec=spec, state={"due": due.timestamp()}, modified=made))

    context.store.write(change)
    context.wake(key)
    return {}


def _spec(params: Params, before: Mapping[str, Any], least: int) -> dict[str, Any]:
    action = params.get("ScalableTargetAction") or before.get("ScalableTargetAction") or {}
    if action.get("MinCapacity") is None and action.get("MaxCapacity") is None:
        raise no_bounds()
    check_bounds(action.get("MinCapacity"), action.get("MaxCapacity"), least)
    times = {name: params[name].timestamp() for name in _TIMES if isinstance(params.get(name), datetime)}
    given = {name: params[name] for name in ("Schedule", "Timezone") if params.get(name)}
    spec = {**before, **given, **times, "name": params["ScheduledActionName"], "ScalableTargetAction": action}
    if "Schedule" not in spec:
        raise ValidationError("Schedule is required for a new scheduled action")
    return spec


def _checked(row: Row, made: datetime) -> Schedule:
    start, end = row.spec.get("StartTime"), row.spec.get("EndTime")
    if recurs(row.spec["Schedule"]) and end is not None and end <= (start or made.timestamp()):
        raise ValidationError("End time must be after start time")
    try:
        return schedule_of(row)
    except ValueError:
        # no public source shows AWS's text
        raise ValidationError(f"Invalid schedule expression or time zone: {row.spec['Schedule']}") from None


@SERVICE.operation("DescribeScheduledActions")
def describe(context: Context, params: Params) -> Output:
    """Those that are over stay, as they were put. Raises ValidationError, InvalidNextTokenException."""
    parents, names = parents_of(params), params.get("ScheduledActionNames")

    def wanted(row: Row) -> bool:
        return row.parent in parents and (not names or row.spec["name"] in names)

    return listed(context, params, query_of(context, SCHEDULED_KIND), "ScheduledActions", _shown, wanted)


def _shown(row: Row) -> Output:
    spec = row.spec
    return present(
        {
            **named(row.parent),
            "ScheduledActionName": spec["name"],
            "ScheduledActionARN": row.arn,
            "Schedule": spec["Schedule"],
            "Timezone": spec.get("Timezone"),
            "ScalableTargetAction": spec["ScalableTargetAction"],
            **{name: moment(spec.get(name)) for name in _TIMES},
            "CreationTime": row.created,
        }
    )


@SERVICE.operation("DeleteScheduledAction")
def delete(context: Context, params: Params) -> Output:
    """Raises ObjectNotFoundException."""
    key = below(SCHEDULED_KIND, place_of(context, params), params["ScheduledActionName"])
    if not context.store.write(lambda transaction: transaction.delete(key)):
        raise no_scheduled_action(params)
    return {}
