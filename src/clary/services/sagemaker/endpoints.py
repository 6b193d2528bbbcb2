"""Endpoints (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html).

Create and Update write the deployment that is wanted; `controllers/endpoint.py` makes it so; Describe shows both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from clary.lifecycles.endpoint import (
    DELETED,
    DELETING,
    FAILED,
    IN_SERVICE,
    KIND,
    LIFECYCLE,
    UPDATE_ROLLBACK_FAILED,
    UPDATING,
    Deployment,
    fewest_instances,
    leaving_name,
)
from clary.names import random_hex
from clary.services import resources
from clary.services.context import Context
from clary.services.resources import Output, Params, Resource, present
from clary.services.sagemaker.asynchronous import check_kept
from clary.services.sagemaker.deployment import check_counts, launching, resolve, retaining, reweighted, standing
from clary.services.sagemaker.deployment_config import check_deployment_config, rollout
from clary.services.sagemaker.endpoint_view import shown
from clary.services.sagemaker.errors import (
    already_existing,
    could_not_find,
    failed_endpoint,
    in_progress_endpoint,
    no_variants,
)
from clary.services.sagemaker.patience import settled
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_AT_REST = frozenset({IN_SERVICE, UPDATE_ROLLBACK_FAILED, FAILED})
_CHANGED_BY = "changed_by"
"""In a row's state: the invocation that asked for the last change."""

_LISTED = tuple(status for status in LIFECYCLE.moves if status != DELETING)

ENDPOINT = Resource(
    kind=KIND,
    noun="Endpoint",
    list_member="Endpoints",
    exists=partial(already_existing, "endpoint"),
    missing=partial(could_not_find, "endpoint"),
    shown=shown,
)


@SERVICE.operation("CreateEndpoint")
def create(context: Context, params: Params) -> Output:
    """Raises ValidationError where the name is taken, or config or model is not there."""
    check_deployment_config(params.get("DeploymentConfig"))
    row = resources.new_row(ENDPOINT, context, params)
    there = context.store.read.by_arn(row.arn)
    if there is not None:
        if resources.made_before(context, there):
            return {"EndpointArn": there.arn}
        raise ENDPOINT.exists(row.arn)
    state = {"current": None, "next": resolve(context, params["EndpointConfigName"])}
    wanted = replace(row, status=LIFECYCLE.initial, target=IN_SERVICE, state=state)
    stored = resources.insert(ENDPOINT, context, wanted, params.get("Tags"))
    context.wake(stored.key)
    return {"EndpointArn": stored.arn}


@SERVICE.operation("DescribeEndpoint")
def describe(context: Context, params: Params) -> Output:
    """Raises ValidationError where it is not there."""
    row = resources.require(ENDPOINT, context, params["EndpointName"])
    return description(settled(context, row, lambda seen: seen.status in _AT_REST))


def description(row: Row) -> Output:
    """Describe's output; how it was deployed is shown as LastDeploymentConfig."""
    output = resources.description(ENDPOINT, row)
    output.pop("DeploymentConfig", None)
    return output


@SERVICE.operation("ListEndpoints")
def list_(context: Context, params: Params) -> Output:
    """Sorted, filtered, one page."""
    query = resources.query_of(ENDPOINT, context, params)
    status = params.get("StatusEquals")
    wanted = _LISTED if status is None else tuple(known for known in _LISTED if known == status)
    return resources.listing(ENDPOINT, resources.page(context, replace(query, statuses=wanted)), _summary)


@SERVICE.operation("UpdateEndpoint")
def update(context: Context, params: Params) -> Output:
    """Deploy another configuration beside the one that serves. Raises ValidationError while a change is under way."""
    check_deployment_config(params.get("DeploymentConfig"))
    fresh = resolve(context, params["EndpointConfigName"])
    excluded = {entry["VariantPropertyType"] for entry in params.get("ExcludeRetainedVariantProperties") or ()}

    def change(row: Row) -> Row:
        old, config = standing(row.state), params.get("DeploymentConfig")
        check_kept(old, fresh, row.key.name)
        if params.get("RetainDeploymentConfig"):
            config = config or row.spec.get("DeploymentConfig")
        new = retaining(fresh, old, excluded) if params.get("RetainAllVariantProperties") else fresh
        plan = rollout(config, old, new, resources.now().timestamp())
        coming = launching(new, plan["steps"][0]["counts"])
        state = {**row.state, "current": old, "next": coming, "rollout": plan}
        return replace(row, spec=present({**row.spec, "DeploymentConfig": config}), state=state)

    return _deploy(context, params, change, (IN_SERVICE, UPDATE_ROLLBACK_FAILED))


@SERVICE.operation("UpdateEndpointWeightsAndCapacities")
def update_weights(context: Context, params: Params) -> Output:
    """Other weights and counts for what serves; no replica is replaced for it. Raises ValidationError."""

    def change(row: Row) -> Row:
        current: Deployment | None = row.state.get("current")
        known = {variant["name"] for variant in (current or {}).get("variants", ())}
        asked = params["DesiredWeightsAndCapacities"]
        unknown = [entry["VariantName"] for entry in asked if entry["VariantName"] not in known]
        if current is None or unknown:
            raise no_variants(unknown, (current or {}).get("config", ""))
        check_counts(asked, fewest_instances(current))
        return replace(row, state={**row.state, "next": reweighted(current, asked)})

    return _deploy(context, params, change, (IN_SERVICE,))


def _deploy(context: Context, params: Params, wanted: Callable[[Row], Row], out_of: Collection[str]) -> Output:
    """Have the endpoint become as `wanted`, where it is in a status that allows for it."""
    invocation = context.call.invocation_id

    def change(row: Row) -> Row:
        if invocation and row.state.get(_CHANGED_BY) == invocation:
            return row  # tried again: control was killed before it could answer
        if row.status == FAILED:
            raise failed_endpoint(row.arn)
        if row.status not in out_of:
            raise in_progress_endpoint(row.arn)
        changed = wanted(row)
        state = {**changed.state, **({_CHANGED_BY: invocation} if invocation else {})}
        state.pop("failure_reason", None)
        return replace(changed, status=LIFECYCLE.check(row.status, UPDATING), state=state)

    row = resources.change_row(ENDPOINT, context, params["EndpointName"], change)
    context.wake(row.key)
    return {"EndpointArn": row.arn}


@SERVICE.operation("DeleteEndpoint")
def delete(context: Context, params: Params) -> Output:
    """The name is free at once; what served ends as soon as nobody is routed to it. Raises ValidationError."""
    key = resources.key_of(ENDPOINT, context, params["EndpointName"])
    leaving = replace(key, name=leaving_name(key.name, random_hex(8)))

    def change(transaction: Transaction) -> None:
        row = transaction.get(key)
        if row is None:
            raise ENDPOINT.missing(resources.arn_of(ENDPOINT, key))
        if row.status not in _AT_REST:
            raise in_progress_endpoint(row.arn)
        transaction.delete(key)
        status = LIFECYCLE.check(row.status, DELETING)
        transaction.insert(replace(row, key=leaving, arn="", status=status, target=DELETED, modified=resources.now()))

    context.store.write(change)
    context.wake(key)
    context.wake(leaving)
    return {}


def _summary(row: Row) -> Output:
    times = {"LastModifiedTime": row.modified, "EndpointStatus": row.status}
    return {**resources.summary(ENDPOINT, row), **times}
