"""Variants without a model: instances that are there for inference components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.errors import ValidationError
from clary.instances import shape
from clary.lifecycles.endpoint import Demand, Deployment, Variant, is_host, production_of
from clary.services.context import Context
from clary.services.resources import Params
from clary.services.sagemaker.component_errors import no_room_for_components, variant_hosts_components
from clary.services.sagemaker.errors import limit_exceeded, not_offered
from clary.services.sagemaker.roles import check_role
from clary.store.rows import Key
from clary.workload.placement import Rows, bounds, components_on, copies_of, instances_for, instances_wanted

_ENABLED = "ENABLED"


def check_hosts(context: Context, params: Params) -> None:
    """What an endpoint configuration must say beside variants without a model. Raises ValidationError, AccessDenied;
    no public source shows AWS's words."""
    variants = params["ProductionVariants"]
    bare = [variant["VariantName"] for variant in variants if "ModelName" not in variant]
    if not bare:
        return
    if len(bare) < len(variants) or params.get("ShadowProductionVariants"):
        raise ValidationError("Either all production variants have a ModelName, or none has, and none is a shadow.")
    if "ExecutionRoleArn" not in params:
        raise ValidationError(
            f"ExecutionRoleArn is required for production variants without ModelName: {', '.join(bare)}."
        )
    check_role(context, params["ExecutionRoleArn"])
    if params.get("DataCaptureConfig"):
        raise not_offered("DataCaptureConfig for endpoints that host inference components")


def managed_scaling(asked: Params, most: int) -> Params | None:
    """ManagedInstanceScaling with AWS's defaults filled in; `most` instances are there. Raises ValidationError,
    ResourceLimitExceeded."""
    config = asked.get("ManagedInstanceScaling")
    if config is None:
        return None
    if "ModelName" in asked:
        raise not_offered(f"Production variant {asked['VariantName']} with ModelName: ManagedInstanceScaling")
    if config.get("ScaleInPolicy"):
        raise not_offered(f"Production variant {asked['VariantName']}: ManagedInstanceScaling.ScaleInPolicy")
    filled = {"Status": "DISABLED", "MinInstanceCount": 1, "MaxInstanceCount": most, **config}
    if filled["MaxInstanceCount"] > most:
        raise limit_exceeded(f"{asked['InstanceType']} for endpoint usage", most, filled["MaxInstanceCount"])
    if filled["MinInstanceCount"] > filled["MaxInstanceCount"]:
        raise ValidationError(
            f"Production variant {asked['VariantName']}: MinInstanceCount must not be larger than MaxInstanceCount."
        )
    return filled


def host_of(config: Mapping[str, Any], asked: Params, *, isolated: bool) -> Variant:
    """A variant without a model, as it is deployed: its instances have no containers of their own."""
    variant: Variant = {
        "name": asked["VariantName"],
        "weight": float(asked["InitialVariantWeight"]),
        "desired_count": asked["InitialInstanceCount"],
        "instance_type": asked["InstanceType"],
        "container_definitions": [],
        "role": config["ExecutionRoleArn"],
        "isolated": isolated,
        "replicas": [],
    }
    if "ManagedInstanceScaling" in asked:
        variant["managed_scaling"] = asked["ManagedInstanceScaling"]
    if "RoutingConfig" in asked:
        variant["routing"] = asked["RoutingConfig"]["RoutingStrategy"]
    return variant


def hosting(rows: Rows, endpoint: Key, coming: Deployment) -> Deployment:
    """`coming` with the instances that the components of an endpoint need of it. Raises ValidationError where it has
    no place for them."""
    held: dict[str, list[Demand]] = {}
    for component in components_on(rows, endpoint):
        held.setdefault(component.spec["VariantName"], []).extend(copies_of(component.state).values())
    hosts = {variant["name"]: variant for variant in production_of(coming) if is_host(variant)}
    for name, copies in held.items():
        if name not in hosts:
            raise variant_hosts_components(name)
        needed = instances_for(copies, shape(hosts[name]["instance_type"]))
        if needed is None or needed > bounds(hosts[name])[1]:
            raise no_room_for_components(name)
    return {
        **coming,
        "variants": [_with_instances(variant, held.get(variant["name"])) for variant in coming["variants"]],
    }


def _with_instances(variant: Variant, copies: list[Demand] | None) -> Variant:
    if copies is None:
        return variant
    return {**variant, "desired_count": instances_wanted(variant, copies)}
