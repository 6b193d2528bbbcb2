"""Inference experiments: shadow tests with a schedule
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateInferenceExperiment.html).

Create, Start, Update and Stop write what is wanted; `controllers/experiment.py` makes it so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from clary.errors import ValidationError
from clary.lifecycles import endpoint
from clary.lifecycles.inference_experiment import (
    CANCELLED,
    COMPLETED,
    CREATED,
    CREATING,
    GOING_ON,
    KIND,
    LIFECYCLE,
    RUNNING,
    STARTING,
    STOPPING,
    UPDATING,
)
from clary.services import resources
from clary.services.context import Context
from clary.services.resources import Output, Params, Resource, present
from clary.services.sagemaker import experiment_view
from clary.services.sagemaker.errors import (
    endpoint_in_experiment,
    experiment_exists,
    experiment_in_status,
    experiment_not_found,
)
from clary.services.sagemaker.experiment_spec import check_experiment, schedule, stop_asked
from clary.services.sagemaker.patience import settled
from clary.services.sagemaker.roles import check_role
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Key, Row

_STOPPABLE = (CREATING, CREATED, STARTING, RUNNING, UPDATING)
_DEPLOYED = ("ModelVariants", "DataStorageConfig", "ShadowModeConfig")
"""What an update of a running experiment deploys anew."""

EXPERIMENT = Resource(
    kind=KIND,
    noun="InferenceExperiment",
    list_member="InferenceExperiments",
    exists=experiment_exists,
    missing=experiment_not_found,
)


@SERVICE.operation("CreateInferenceExperiment")
def create(context: Context, params: Params) -> Output:
    """Raises ResourceInUse, ValidationError, AccessDenied, ResourceLimitExceeded."""
    spec = present({name: value for name, value in params.items() if name not in ("Tags", "Schedule")})
    check_role(context, spec["RoleArn"])
    check_experiment(context, spec)
    made = resources.now()
    begins, ends = schedule(params.get("Schedule"), made.timestamp())
    key = resources.key_of(EXPERIMENT, context, spec["Name"])
    row = Row(
        key,
        resources.arn_of(EXPERIMENT, key),
        LIFECYCLE.initial,
        made,
        made,
        spec,
        {"begins": begins, "ends": ends, "made": []},
        COMPLETED,
        parent=spec["EndpointName"],
    )
    there = context.store.read.by_arn(row.arn)
    if there is None or not resources.made_before(context, there):
        _check_endpoint(context, spec["EndpointName"])
    stored = resources.insert(EXPERIMENT, context, row, params.get("Tags"))
    context.wake(stored.key)
    return {"InferenceExperimentArn": stored.arn}


def _check_endpoint(context: Context, name: str) -> None:
    """It has one production variant, of instances, and no other experiment; one that is not there will be made
    (https://docs.aws.amazon.com/sagemaker/latest/dg/shadow-tests-exclusions.html)."""
    key = Key(endpoint.KIND, context.account, context.region, name)
    others = [each for each in context.store.read.children(KIND, key) if not LIFECYCLE.terminal(each.status)]
    if others:
        raise endpoint_in_experiment(name, others[0].key.name)
    row = context.store.read.get(key)
    deployment = (row.state.get("current") or row.state.get("next")) if row else None
    serving = endpoint.production_of(deployment)
    if len(serving) > 1:
        raise ValidationError(f"Endpoint {name} has several production variants: it cannot have a shadow variant.")
    if any("serverless" in variant for variant in serving):
        raise ValidationError(f"Endpoint {name} is serverless: it cannot have a shadow variant.")
    if any(map(endpoint.is_host, serving)):
        raise ValidationError(f"Endpoint {name} hosts inference components: it cannot have a shadow variant.")
    if deployment and "asynchronous" in deployment:
        raise ValidationError(f"Endpoint {name} is asynchronous: it cannot have a shadow variant.")


@SERVICE.operation("DescribeInferenceExperiment")
def describe(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound."""
    row = resources.require(EXPERIMENT, context, params["Name"])
    row = settled(context, row, lambda seen: seen.status not in (CREATING, STARTING))
    return experiment_view.description(context, row)


@SERVICE.operation("ListInferenceExperiments")
def list_(context: Context, params: Params) -> Output:
    """Sorted, filtered, one page."""
    status = params.get("StatusEquals")
    query = resources.query_of(EXPERIMENT, context, params)
    if status is not None:
        query = replace(query, statuses=GOING_ON if status == STOPPING else (status,))
    shown = resources.page(context, query, lambda row: status in (None, experiment_view.public(row)))
    return resources.listing(EXPERIMENT, shown, experiment_view.summary)


@SERVICE.operation("StartInferenceExperiment")
def start(context: Context, params: Params) -> Output:
    """Now, and not when its schedule says. Raises ConflictException, ResourceNotFound."""

    def change(row: Row) -> Row:
        _require(row, (CREATED,))
        begins, ends = row.state["begins"], row.state["ends"]
        now = min(begins, resources.now().timestamp())
        return replace(row, state={**row.state, "begins": now, "ends": ends})

    return _change(context, params, change)


@SERVICE.operation("StopInferenceExperiment")
def stop(context: Context, params: Params) -> Output:
    """Raises ConflictException, ResourceNotFound, ValidationError."""

    def change(row: Row) -> Row:
        _require(row, _STOPPABLE)
        asked = {"stop": stop_asked(context, row.spec, params), "reason": params.get("Reason")}
        target = CANCELLED if params.get("DesiredState") == CANCELLED else COMPLETED
        return replace(row, target=target, state=present({**row.state, **asked}))

    return _change(context, params, change)


@SERVICE.operation("UpdateInferenceExperiment")
def update(context: Context, params: Params) -> Output:
    """Raises ConflictException, ResourceNotFound, ValidationError."""

    def change(row: Row) -> Row:
        _require(row, (CREATED, RUNNING))
        spec = _updated(row, params)
        check_experiment(context, spec)
        times = _times(row, params)
        if row.status == CREATED or all(spec.get(member) == row.spec.get(member) for member in _DEPLOYED):
            return replace(row, spec=spec, state={**row.state, **times})
        kept = {name: value for name, value in row.state.items() if name not in ("config", "asked", "reason")}
        status = LIFECYCLE.check(row.status, UPDATING)
        return replace(row, status=status, spec=spec, state={**kept, **times, "previous": dict(row.spec)})

    return _change(context, params, change)


def _updated(row: Row, params: Params) -> Params:
    named = {each["VariantName"]: each for each in params.get("ModelVariants") or ()}
    variants = [named.pop(each["VariantName"], each) for each in row.spec["ModelVariants"]]
    changes = {name: params.get(name) for name in ("Description", "DataStorageConfig", "ShadowModeConfig")}
    return {**row.spec, **present(changes), "ModelVariants": [*variants, *named.values()]}


def _times(row: Row, params: Params) -> Params:
    asked = params.get("Schedule")
    if not asked:
        return {}
    if row.status == RUNNING and "StartTime" in asked:
        raise ValidationError("Schedule: of an experiment that runs only EndTime can be updated.")
    begins, ends = schedule(asked, resources.now().timestamp(), row.state["begins"])
    return {"begins": begins, "ends": ends if "EndTime" in asked else row.state["ends"]}


@SERVICE.operation("DeleteInferenceExperiment")
def delete(context: Context, params: Params) -> Output:
    """Only of one that has ended; endpoint and configurations stay. Raises ConflictException, ResourceNotFound."""
    row = resources.require(EXPERIMENT, context, params["Name"])
    _require(row, (COMPLETED, CANCELLED))
    resources.delete(EXPERIMENT, context, params["Name"])
    return {"InferenceExperimentArn": row.arn}


def _require(row: Row, statuses: tuple[str, ...]) -> None:
    """Raises ConflictException where it shows itself in another status."""
    status = experiment_view.public(row)
    if status not in statuses:
        raise experiment_in_status(row.arn, status)


def _change(context: Context, params: Params, change: Callable[[Row], Row]) -> Output:
    row = resources.change_row(EXPERIMENT, context, params["Name"], change)
    context.wake(row.key)
    return {"InferenceExperimentArn": row.arn}
