"""Endpoints (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html).

Create and Update write the deployment that is wanted; `controllers/endpoint.py` makes it so; Describe shows both.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from clary.lifecycles.endpoint import (
    DELETING,
    IN_SERVICE,
    KIND,
    LIFECYCLE,
    UPDATE_ROLLBACK_FAILED,
    Deployment,
    fewest_instances,
)
from clary.services import resources
from clary.services.context import Context, Looking
from clary.services.resources import Output, Params, Resource, present
from clary.services.sagemaker.asynchronous import check_kept
from clary.services.sagemaker.component_errors import endpoint_has_components
from clary.services.sagemaker.component_hosts import hosting
from clary.services.sagemaker.deploying import AT_REST, Deployed, change, create, leave
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
from clary.services.sagemaker.publication import key_of as policy_key
from clary.services.sagemaker.publication import publish
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Row
from clary.workload.placement import components_on

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_LISTED = tuple(status for status in LIFECYCLE.moves if status != DELETING)

ENDPOINT = Resource(
    kind=KIND,
    noun="Endpoint",
    list_member="Endpoints",
    exists=partial(already_existing, "endpoint"),
    missing=partial(could_not_find, "endpoint"),
    shown=shown,
)

_DEPLOYED = Deployed(ENDPOINT, in_progress_endpoint, failed_endpoint)


@SERVICE.operation("CreateEndpoint")
def create_endpoint(context: Context, params: Params) -> Output:
    """Raises ValidationError where the name is taken, or config or model is not there."""
    check_deployment_config(params.get("DeploymentConfig"))
    row = create(_DEPLOYED, context, params, lambda: resolve(context, params["EndpointConfigName"]))
    return {"EndpointArn": row.arn}


@SERVICE.operation("DescribeEndpoint", looks=True)
def describe(context: Looking, params: Params) -> Output:
    """Raises ValidationError where it is not there."""
    row = resources.require(ENDPOINT, context, params["EndpointName"])
    return description(settled(context, row, lambda seen: seen.status in AT_REST))


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

    def wanted(row: Row) -> Row:
        old, config = standing(row.state), params.get("DeploymentConfig")
        check_kept(old, fresh, row.key.name)
        if params.get("RetainDeploymentConfig"):
            config = config or row.spec.get("DeploymentConfig")
        new = retaining(fresh, old, excluded) if params.get("RetainAllVariantProperties") else fresh
        new = hosting(context.store.read, row.key, new)
        plan = rollout(config, old, new, resources.now().timestamp())
        coming = launching(new, plan["steps"][0]["counts"])
        state = {**row.state, "current": old, "next": coming, "rollout": plan}
        return replace(row, spec=present({**row.spec, "DeploymentConfig": config}), state=state)

    row = change(_DEPLOYED, context, params["EndpointName"], wanted, (IN_SERVICE, UPDATE_ROLLBACK_FAILED))
    return {"EndpointArn": row.arn}


@SERVICE.operation("UpdateEndpointWeightsAndCapacities")
def update_weights(context: Context, params: Params) -> Output:
    """Other weights and counts for what serves; no replica is replaced for it. Raises ValidationError."""

    def wanted(row: Row) -> Row:
        current: Deployment | None = row.state.get("current")
        known = {variant["name"] for variant in (current or {}).get("variants", ())}
        asked = params["DesiredWeightsAndCapacities"]
        unknown = [entry["VariantName"] for entry in asked if entry["VariantName"] not in known]
        if current is None or unknown:
            raise no_variants(unknown, (current or {}).get("config", ""))
        check_counts(asked, fewest_instances(current))
        coming = hosting(context.store.read, row.key, reweighted(current, asked))
        return replace(row, state={**row.state, "next": coming})

    row = change(_DEPLOYED, context, params["EndpointName"], wanted, (IN_SERVICE,))
    return {"EndpointArn": row.arn}


@SERVICE.operation("DeleteEndpoint")
def delete(context: Context, params: Params) -> Output:
    """The name is free at once; what served ends as soon as nobody is routed to it. Raises ValidationError, also
    while it has inference components."""
    leave(_DEPLOYED, context, params["EndpointName"], _empty)
    publish(context.store.read, context.settings)
    return {}


def _empty(transaction: Transaction, row: Row) -> None:
    """Nothing is on it, and its policy goes with it."""
    components = components_on(transaction, row.key)
    if components:
        raise endpoint_has_components(row.arn, [component.key.name for component in components])
    transaction.delete(policy_key(row.key))


def _summary(row: Row) -> Output:
    times = {"LastModifiedTime": row.modified, "EndpointStatus": row.status}
    return {**resources.summary(ENDPOINT, row), **times}
