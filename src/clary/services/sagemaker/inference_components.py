"""Inference components: models with copies of their own on the instances of an endpoint
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateInferenceComponent.html).

Create and the Updates write the deployment that is wanted, as an endpoint's do; `controllers/endpoint.py` makes it so.
"""

from __future__ import annotations

from dataclasses import replace

from clary.errors import ValidationError
from clary.lifecycles.endpoint import DELETED, FAILED, IN_SERVICE, UPDATE_ROLLBACK_FAILED, Deployment, Variant
from clary.lifecycles.inference_component import KIND, statuses_shown_as
from clary.services import resources
from clary.services.context import Context, Looking
from clary.services.resources import Output, Params, Resource, present
from clary.services.sagemaker import component_view
from clary.services.sagemaker.component_errors import (
    component_exists,
    component_in_progress,
    component_not_found,
    failed_component,
)
from clary.services.sagemaker.component_rollout import check_component_rollout, component_rollout
from clary.services.sagemaker.component_spec import check_copies, check_specification, resolve, updated
from clary.services.sagemaker.deploying import AT_REST, Deployed, change, create, leave
from clary.services.sagemaker.deployment import launching, standing
from clary.services.sagemaker.endpoints import ENDPOINT
from clary.services.sagemaker.patience import settled
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Row
from clary.workload.placement import host, room_of

COMPONENT = Resource(
    kind=KIND,
    noun="InferenceComponent",
    list_member="InferenceComponents",
    exists=component_exists,
    missing=component_not_found,
    shown=component_view.shown,
)

_DEPLOYED = Deployed(COMPONENT, component_in_progress, failed_component)
_COPIES = 1
"""Where nobody says how many."""


@SERVICE.operation("CreateInferenceComponent")
def create_component(context: Context, params: Params) -> Output:
    """Raises ValidationError, AccessDenied, ResourceLimitExceeded."""
    asked = check_specification(params) or {}
    variant = _host(context, params["EndpointName"], params.get("VariantName"))
    kept = ("InferenceComponentName", "EndpointName", "Tags")
    count = _copies(params.get("RuntimeConfig"), _COPIES)
    filled = {"VariantName": variant["name"], "Specification": asked, "RuntimeConfig": {"CopyCount": count}}
    spec = {**{name: params[name] for name in kept if name in params}, **filled}

    def coming() -> Deployment:
        return resolve(context, spec, asked, count, variant)

    row = create(_DEPLOYED, context, spec, coming, parent=params["EndpointName"])
    return {"InferenceComponentArn": row.arn}


def _host(context: Context, endpoint: str, name: str | None) -> Variant:
    """The variant that a component is on; the only one where none is named. No public source shows AWS's words, but
    those for an endpoint that is not there."""
    row = resources.require(ENDPOINT, context, endpoint)
    if row.status == FAILED:
        raise ValidationError(f'Endpoint "{row.arn}" has failed. It cannot host inference components.')
    deployment = row.state.get("current") or row.state.get("next") or {}
    names = [variant["name"] for variant in deployment.get("variants", ())]
    if name is None and len(names) > 1:
        raise ValidationError(f"VariantName is required: the endpoint has the variants {', '.join(names)}.")
    found = host(row, name or names[0])
    if found is None:
        raise ValidationError(
            f"Endpoint {endpoint} has no variant {name or names[0]} that hosts inference components: its endpoint "
            "configuration must have a variant of that name without ModelName."
        )
    return found


def _copies(config: Params | None, before: int) -> int:
    count: int = (config or {}).get("CopyCount", before)
    return count


@SERVICE.operation("DescribeInferenceComponent", looks=True)
def describe(context: Looking, params: Params) -> Output:
    """Raises ValidationError where it is not there."""
    row = resources.require(COMPONENT, context, params["InferenceComponentName"])
    output = resources.description(COMPONENT, settled(context, row, lambda seen: seen.status in AT_REST))
    output.pop("DeploymentConfig", None)
    return output


@SERVICE.operation("ListInferenceComponents")
def list_(context: Context, params: Params) -> Output:
    """Sorted, filtered, one page."""
    query = resources.query_of(COMPONENT, context, params)
    status, variant = params.get("StatusEquals"), params.get("VariantNameEquals")
    filtered = replace(
        query,
        statuses=statuses_shown_as(status) if status else None,
        parent=params.get("EndpointNameEquals"),
    )

    def wanted(row: Row) -> bool:
        return row.target != DELETED and variant in (None, row.spec["VariantName"])

    return resources.listing(COMPONENT, resources.page(context, filtered, wanted), component_view.summary)


@SERVICE.operation("UpdateInferenceComponent")
def update(context: Context, params: Params) -> Output:
    """Another model, other resources or another number of copies; what served answers until the new copies do.

    Raises ValidationError while a change is under way, AccessDenied, ResourceLimitExceeded.
    """
    asked, config = check_specification(params), params.get("DeploymentConfig")
    if asked is None and not params.get("RuntimeConfig"):
        raise ValidationError("At least one of Specification and RuntimeConfig must be specified.")
    check_component_rollout(config)
    name = params["InferenceComponentName"]
    fresh = _fresh(context, resources.require(COMPONENT, context, name), asked, params) if asked is not None else None

    def wanted(row: Row) -> Row:
        if asked is None:
            return _recounted(row, params["RuntimeConfig"]["CopyCount"])
        if fresh is None:  # it has come to serve just now
            raise component_in_progress(row.arn)
        return _replaced(context, row, fresh, config)

    out_of = (IN_SERVICE,) if asked is None else (IN_SERVICE, UPDATE_ROLLBACK_FAILED)
    row = change(_DEPLOYED, context, name, wanted, out_of)
    return {"InferenceComponentArn": row.arn}


def _fresh(context: Context, row: Row, asked: Params, params: Params) -> Deployment | None:
    """What takes the place of what serves; None while nothing does. Raises as `resolve`."""
    if row.state.get("current") is None:
        return None
    old = standing(row.state)
    count = _copies(params.get("RuntimeConfig"), old["variants"][0]["desired_count"])
    variant = _host(context, row.spec["EndpointName"], row.spec["VariantName"])
    return resolve(context, row.spec, updated(old["specification"], asked), count, variant)


def _replaced(context: Context, row: Row, new: Deployment, config: Params | None) -> Row:
    """With new copies beside those that serve."""
    old = standing(row.state)
    plan = component_rollout(config, old, new, room_of(context.store.read, row), resources.now().timestamp())
    coming = launching(new, plan["steps"][0]["counts"])
    state = {**row.state, "current": old, "next": coming, "rollout": plan}
    return replace(row, spec=present({**row.spec, "DeploymentConfig": config}), state=state)


def _recounted(row: Row, count: int) -> Row:
    """With the same copies, and as many more or fewer as are wanted."""
    current: Deployment = row.state["current"]
    [variant] = current["variants"]
    changed: Variant = {**variant, "desired_count": check_copies(count)}
    return replace(row, state={**row.state, "next": {**current, "variants": [changed]}})


@SERVICE.operation("UpdateInferenceComponentRuntimeConfig")
def update_runtime_config(context: Context, params: Params) -> Output:
    """Another number of copies. Raises ValidationError while a change is under way, ResourceLimitExceeded."""
    count = params["DesiredRuntimeConfig"]["CopyCount"]
    row = change(
        _DEPLOYED, context, params["InferenceComponentName"], lambda row: _recounted(row, count), (IN_SERVICE,)
    )
    return {"InferenceComponentArn": row.arn}


@SERVICE.operation("DeleteInferenceComponent")
def delete(context: Context, params: Params) -> Output:
    """The name and its place are free at once; its copies end as soon as nobody is routed to them.

    Raises ValidationError.
    """
    leave(_DEPLOYED, context, params["InferenceComponentName"])
    return {}
