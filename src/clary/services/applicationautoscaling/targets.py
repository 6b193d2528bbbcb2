"""Scalable targets
(https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from clary.errors import ValidationError
from clary.lifecycles import endpoint, inference_component
from clary.lifecycles.endpoint import fewest_instances
from clary.names import Arn
from clary.scaling.effects import leave
from clary.scaling.resource import of, parse
from clary.scaling.rows import ENDPOINT, OUT_OF_BOUNDS, TARGET_KIND, endpoint_key, new_target_arn, scaled
from clary.services.applicationautoscaling.errors import bad_bounds, no_such_target, too_many_tags
from clary.services.applicationautoscaling.places import check_dimension, listed, named, place_of, query_of
from clary.services.applicationautoscaling.service import SERVICE
from clary.services.context import Context
from clary.services.resources import Output, Params, now
from clary.services.tags import MOST
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_ROLE = (
    "role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)
_NOT_THERE = {endpoint.KIND: "Production variant", inference_component.KIND: "Inference component"}
_SUSPENSIONS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


@SERVICE.operation("RegisterScalableTarget")
def register(context: Context, params: Params) -> Output:
    """New bounds are enforced at once, as on AWS. What a change leaves out stays. Raises ValidationError."""
    key = place_of(context, params)
    _leave_stale(context, key)
    made, fresh = now(), new_target_arn(key)

    def change(transaction: Transaction) -> Row:
        endpoint, row = transaction.get(endpoint_key(key)), transaction.get(key)
        made_at = _made_at(endpoint, key)
        spec = _spec(params, row.spec if row else {}, fewest(endpoint))
        if row is None:
            row = transaction.insert(Row(key, fresh, "", made, made, spec, parent=endpoint_key(key).name))
        bounded = "MinCapacity" in params or "MaxCapacity" in params
        state = {**row.state, ENDPOINT: made_at, **({OUT_OF_BOUNDS: True} if bounded else {})}
        stored = transaction.save(replace(row, spec=spec, state=state, modified=made))
        _tag(transaction, stored.arn, params.get("Tags") or {})
        return stored

    stored = context.store.write(change)
    context.wake(key)
    return {"ScalableTargetARN": stored.arn}


def _leave_stale(context: Context, key: Key) -> None:
    """What was registered of another endpoint of the same name has gone with it."""
    row, endpoint = context.store.read.get(key), context.store.read.get(endpoint_key(key))
    if row is not None and endpoint is not None and row.state[ENDPOINT] != endpoint.created.timestamp():
        leave(context.store, context.invoke, row)


def _made_at(endpoint: Row | None, target: Key) -> float:
    """When the endpoint was made, which tells it from another of the same name. Raises ValidationError."""
    resource, variant = parse(target.name), scaled(endpoint, target) if endpoint else None
    if endpoint is None or variant is None:
        # no public source shows AWS's text
        raise ValidationError(f"{_NOT_THERE[resource.kind]} does not exist: {resource.resource_id}")
    if not resource.is_of(variant):
        raise ValidationError(f"{resource.resource_id} has no {resource.counted} count that can be scaled")
    return endpoint.created.timestamp()


def fewest(endpoint: Row | None) -> int:
    """Instances that a variant of the endpoint may be scaled to."""
    state = endpoint.state if endpoint else {}
    return fewest_instances(state.get("current") or state.get("next"))


def _spec(params: Params, before: Mapping[str, Any], least: int) -> dict[str, Any]:
    bounds = {name: params.get(name, before.get(name)) for name in ("MinCapacity", "MaxCapacity")}
    for name, word in (("MinCapacity", "Minimum"), ("MaxCapacity", "Maximum")):
        if bounds[name] is None:
            raise ValidationError(f"{word} capacity is required to register a new scalable target")
    check_bounds(bounds["MinCapacity"], bounds["MaxCapacity"], least)
    suspended = {**before.get("SuspendedState", dict.fromkeys(_SUSPENSIONS, False)), **_said(params)}
    return {**bounds, "SuspendedState": suspended}


def _said(params: Params) -> dict[str, bool]:
    return {name: value for name, value in (params.get("SuspendedState") or {}).items() if value is not None}


def check_bounds(least: int | None, most: int | None, floor: int) -> None:
    """`floor`: instances that the variant has at least. Raises ValidationError."""
    if least is not None and least < floor:
        raise ValidationError(f"Minimum capacity must be at least {floor} for a variant that answers in real time")
    if most is not None and most < floor:
        raise ValidationError(f"Maximum capacity must be at least {floor}")
    if least is not None and most is not None and most < least:
        raise bad_bounds()


def _tag(transaction: Transaction, arn: str, tags: Mapping[str, str]) -> None:
    if len({**transaction.tags(arn), **tags}) > MOST:
        raise too_many_tags(arn, MOST)
    transaction.set_tags(arn, tags)


@SERVICE.operation("DescribeScalableTargets")
def describe(context: Context, params: Params) -> Output:
    """By ResourceId. Raises ValidationError, InvalidNextTokenException."""
    asked = params.get("ResourceIds") or ()
    check_dimension(params, asked)
    names = {each.target for each in chain.from_iterable(of(one, params.get("ScalableDimension")) for one in asked)}
    query = query_of(context, TARGET_KIND)
    return listed(context, params, query, "ScalableTargets", _shown, lambda row: not asked or row.key.name in names)


def _shown(row: Row) -> Output:
    return {
        **named(row.key.name),
        **row.spec,
        "RoleARN": str(Arn("iam", "", row.key.account, _ROLE)),
        "CreationTime": row.created,
        "ScalableTargetARN": row.arn,
    }


@SERVICE.operation("DeregisterScalableTarget")
def deregister(context: Context, params: Params) -> Output:
    """With its policies, their alarms and its scheduled actions. Raises ObjectNotFoundException."""
    key = place_of(context, params)
    row = context.store.read.get(key)
    if row is None:
        raise no_such_target(params)
    leave(context.store, context.invoke, row)
    return {}
