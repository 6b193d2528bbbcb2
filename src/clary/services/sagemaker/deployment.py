"""An endpoint configuration resolved into what a controller deploys: config and models may be deleted afterwards."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, cast

from clary.errors import ValidationError
from clary.lifecycles.endpoint import Deployment, Variant, is_ready, replicas_of
from clary.services.context import Context
from clary.services.resources import Params, require
from clary.services.sagemaker.asynchronous import check_topics
from clary.services.sagemaker.component_hosts import host_of
from clary.services.sagemaker.endpoint_configs import ENDPOINT_CONFIG, MOST_INSTANCES
from clary.services.sagemaker.errors import limit_exceeded
from clary.services.sagemaker.images import pinned
from clary.services.sagemaker.model_containers import DIRECT, containers_of, execution_mode
from clary.services.sagemaker.models import MODEL
from clary.services.sagemaker.serverless import deployed, is_serverless, updated


def resolve(context: Context, config_name: str) -> Deployment:
    """The deployment of a configuration. Raises ValidationError where config or model is not there or not offered."""
    config = require(ENDPOINT_CONFIG, context, config_name)
    isolated = bool(config.spec.get("EnableNetworkIsolation"))
    variants = [
        _production(context, config.spec, asked, isolated=isolated) for asked in config.spec["ProductionVariants"]
    ]
    shadows = [_variant(context, asked, isolated=isolated) for asked in config.spec.get("ShadowProductionVariants", ())]
    variants += [_changed(shadow, {"shadow": True}) for shadow in shadows]
    deployment: Deployment = {"config": config_name, "variants": variants}
    if "DataCaptureConfig" in config.spec:
        deployment["capture"] = config.spec["DataCaptureConfig"]
    if "AsyncInferenceConfig" in config.spec:
        check_topics(context, config.spec["AsyncInferenceConfig"], variants[0].get("role", ""))
        deployment["asynchronous"] = config.spec["AsyncInferenceConfig"]
    return deployment


def _production(context: Context, config: Mapping[str, Any], asked: Params, *, isolated: bool) -> Variant:
    if "ModelName" not in asked:
        return host_of(config, asked, isolated=isolated)
    return _variant(context, asked, isolated=isolated)


def _variant(context: Context, asked: Params, *, isolated: bool) -> Variant:
    model = require(MODEL, context, asked["ModelName"]).spec
    variant: Variant = {
        "name": asked["VariantName"],
        "weight": float(asked["InitialVariantWeight"]),
        "model": asked["ModelName"],
        "container_definitions": [pinned(context, each) for each in containers_of(model)],
        "direct": execution_mode(model) == DIRECT,
        "role": model.get("ExecutionRoleArn", ""),
        "isolated": isolated or bool(model.get("EnableNetworkIsolation")),
        "replicas": [],
    }
    if is_serverless(asked):
        return {**variant, **deployed(asked)}
    variant["desired_count"] = asked["InitialInstanceCount"]
    variant["instance_type"] = asked["InstanceType"]
    if "ContainerStartupHealthCheckTimeoutInSeconds" in asked:
        variant["startup_seconds"] = float(asked["ContainerStartupHealthCheckTimeoutInSeconds"])
    if "ModelDataDownloadTimeoutInSeconds" in asked:
        variant["download_seconds"] = float(asked["ModelDataDownloadTimeoutInSeconds"])
    if "AcceleratorType" in asked:
        variant["accelerator"] = asked["AcceleratorType"]
    if "RoutingConfig" in asked:
        variant["routing"] = asked["RoutingConfig"]["RoutingStrategy"]
    return variant


def check_counts(wanted: Collection[Mapping[str, Any]], fewest: int) -> None:
    """`fewest`: instances that a variant may have. Raises ValidationError, ResourceLimitExceeded."""
    for entry in wanted:
        count = entry.get("DesiredInstanceCount", 1)
        if count < fewest:
            raise ValidationError(f"Variant {entry['VariantName']}: DesiredInstanceCount must be at least {fewest}.")
        if count > MOST_INSTANCES:
            raise limit_exceeded("instances for endpoint usage", MOST_INSTANCES, count)


def standing(state: Mapping[str, Any]) -> Deployment:
    """What an update goes out from: what serves, or, after a rollback that has failed, what has instances that
    answer."""
    current: Deployment = state["current"]
    coming: Deployment | None = state.get("next")
    return coming if coming and not any(map(is_ready, replicas_of(current))) else current


def launching(deployment: Deployment, counts: Mapping[str, int]) -> Deployment:
    """`deployment` with as many instances as are wanted of it at first."""
    variants = [_changed(variant, {"desired_count": counts[variant["name"]]}) for variant in deployment["variants"]]
    return {**deployment, "variants": variants}


def retaining(fresh: Deployment, current: Deployment | None, excluded: Collection[str]) -> Deployment:
    """`fresh` with the weights and counts that variants of the same name have now, but for the excluded properties."""
    before = {variant["name"]: variant for variant in (current or {}).get("variants", ())}
    kept = [(name, of) for name, of in (("DesiredWeight", "weight"), ("DesiredInstanceCount", "desired_count"))]
    members = [of for name, of in kept if name not in excluded]
    variants = [_with(variant, before.get(variant["name"], {}), members) for variant in fresh["variants"]]
    return {**fresh, "variants": variants}


def reweighted(current: Deployment, wanted: Collection[Mapping[str, Any]]) -> Deployment:
    """`current` with other weights and counts; its replicas stay, but for those that are too many. Raises
    ValidationError."""
    entries = {entry["VariantName"]: entry for entry in wanted}
    variants = [_reweighted(variant, entries.get(variant["name"], {})) for variant in current["variants"]]
    return {**current, "variants": variants}


def _reweighted(variant: Variant, entry: Mapping[str, Any]) -> Variant:
    if entry.get("ServerlessUpdateConfig"):
        variant = updated(variant, entry["ServerlessUpdateConfig"])
    if "serverless" in variant and "DesiredInstanceCount" in entry:
        raise ValidationError(f"Variant {variant['name']} is serverless: it has no DesiredInstanceCount.")
    return _changed(variant, {"weight": entry.get("DesiredWeight"), "desired_count": entry.get("DesiredInstanceCount")})


def _with(variant: Variant, before: Mapping[str, Any], members: Collection[str]) -> Variant:
    if "serverless" in variant or "serverless" in before:
        members = [member for member in members if member != "desired_count"]
    return _changed({**variant, "replicas": []}, {member: before.get(member) for member in members})


def _changed(variant: Variant, changes: Mapping[str, Any]) -> Variant:
    said = {member: value for member, value in changes.items() if value is not None}
    return cast("Variant", {**variant, **said})
