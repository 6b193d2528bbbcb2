"""Endpoint configurations (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html)."""

from __future__ import annotations

from functools import partial

from clary.errors import ValidationError
from clary.lifecycles.endpoint import RANDOM, ROUTING_STRATEGIES
from clary.services.context import Context
from clary.services.declaring import declare
from clary.services.resources import Params, Resource, present, require
from clary.services.sagemaker.asynchronous import check_asynchronous
from clary.services.sagemaker.component_hosts import check_hosts, managed_scaling
from clary.services.sagemaker.errors import already_existing, could_not_find, limit_exceeded, not_offered
from clary.services.sagemaker.models import MODEL
from clary.services.sagemaker.serverless import check_serverless, is_serverless
from clary.services.sagemaker.service import SERVICE
from clary.services.sagemaker.shadows import check_shadows
from clary.workload.errors import WorkloadError
from clary.workload.s3uri import split

_WEIGHT = 1.0
MOST_INSTANCES = 64
"""Of one variant: each is a container on this machine."""

_UNOFFERED_IN_VARIANTS = (
    "CoreDumpConfig",
    "CapacityReservationConfig",
    "InstancePools",
)
_UNOFFERED = ("ExplainerConfig", "CrossRegionTrafficConfig")


def fill_endpoint_config(context: Context, params: Params) -> Params:
    """The spec of an endpoint configuration; every model must be there. Raises ValidationError."""
    for member in _UNOFFERED:
        if params.get(member):
            raise not_offered(member)
    check_capture(params.get("DataCaptureConfig"))
    check_serverless(context, params)
    check_hosts(context, params)
    variants = [_variant(context, variant) for variant in params["ProductionVariants"]]
    shadows = [_variant(context, variant) for variant in params.get("ShadowProductionVariants") or ()]
    if shadows:
        check_shadows(context, variants, shadows)
    check_asynchronous(context, params, variants)
    names = [variant["VariantName"] for variant in [*variants, *shadows]]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValidationError(f"Production variant names must be unique: {', '.join(twice)}.")
    isolated = params.get("EnableNetworkIsolation", False)
    resolved = {"ProductionVariants": variants, "ShadowProductionVariants": shadows or None}
    return present({**params, **resolved, "EnableNetworkIsolation": isolated})


def check_capture(config: Params | None) -> None:
    """The model's constraints let through what is no S3 address. No public source shows AWS's words for it."""
    if config:
        try:
            split(config["DestinationS3Uri"])
        except WorkloadError:
            said = f"DataCaptureConfig: {config['DestinationS3Uri']} is not a valid S3 URI."
            raise ValidationError(said) from None


def check_routing(name: str, config: Params | None) -> None:
    """Two strategies look into prompts of language models."""
    strategy = (config or {}).get("RoutingStrategy", RANDOM)
    if strategy not in ROUTING_STRATEGIES:
        raise not_offered(f"Production variant {name}: RoutingStrategy {strategy}")


def _variant(context: Context, asked: Params) -> Params:
    name = asked["VariantName"]
    check_routing(name, asked.get("RoutingConfig"))
    for member in _UNOFFERED_IN_VARIANTS:
        if asked.get(member):
            raise not_offered(f"Production variant {name}: {member}")
    if is_serverless(asked):
        return {"InitialVariantWeight": _WEIGHT, **asked}
    if not ("InitialInstanceCount" in asked and "InstanceType" in asked):
        raise ValidationError(f"Production variant {name}: InstanceType and InitialInstanceCount are required.")
    count = asked["InitialInstanceCount"]
    if count > MOST_INSTANCES:
        raise limit_exceeded(f"{asked['InstanceType']} for endpoint usage", MOST_INSTANCES, count)
    if "ModelName" in asked:
        require(MODEL, context, asked["ModelName"])
    scaling = managed_scaling(asked, MOST_INSTANCES)
    return present({"InitialVariantWeight": _WEIGHT, **asked, "ManagedInstanceScaling": scaling})


ENDPOINT_CONFIG = Resource(
    kind="endpoint-config",
    noun="EndpointConfig",
    list_member="EndpointConfigs",
    exists=partial(already_existing, "endpoint configuration"),
    missing=partial(could_not_find, "endpoint configuration"),
    fill=fill_endpoint_config,
)

declare(SERVICE, ENDPOINT_CONFIG)
