"""Serverless variants: which endpoint configurations may have one, and what is deployed
(https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html, "Feature exclusions").

The limits are AWS's; no public source shows the words of their errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clary.errors import ValidationError
from clary.lifecycles.endpoint import MULTI_MODEL, Deployment, Serverless, Variant
from clary.services.context import Context
from clary.services.resources import Params, present, require
from clary.services.sagemaker.model_containers import containers_of
from clary.services.sagemaker.models import MODEL

STANDING_UP_SECONDS = 180.0
"""AWS gives a serverless endpoint so long to download its model, and to answer /ping."""

_MEMORY_STEP_MB = 1024

_OF_INSTANCES = (
    "InstanceType",
    "InitialInstanceCount",
    "VolumeSizeInGB",
    "ModelDataDownloadTimeoutInSeconds",
    "ContainerStartupHealthCheckTimeoutInSeconds",
    "EnableSSMAccess",
    "InferenceAmiVersion",
)
"""Members of a variant that say something of its instances."""

_EXCLUDED = ("ShadowProductionVariants", "DataCaptureConfig", "AsyncInferenceConfig", "ExplainerConfig", "VpcConfig")
"""Members of a configuration that a serverless endpoint cannot have."""


def is_serverless(asked: Mapping[str, Any]) -> bool:
    """Whether a variant of a configuration has no instances."""
    return bool(asked.get("ServerlessConfig"))


def check_serverless(context: Context, params: Params) -> None:
    """What CreateEndpointConfig asks of a configuration with a serverless variant. Raises ValidationError."""
    production: Sequence[Params] = params["ProductionVariants"]
    shadows: Sequence[Params] = params.get("ShadowProductionVariants") or ()
    serverless = [variant for variant in (*production, *shadows) if is_serverless(variant)]
    if not serverless:
        return
    _check_excluded(params)
    if len(production) > 1:
        raise _unsupported("several production variants")
    for variant in serverless:
        _check_variant(variant)
        _check_model(context, variant)


def _check_excluded(params: Params) -> None:
    for member in _EXCLUDED:
        if params.get(member):
            raise _unsupported(member)
    if params.get("EnableNetworkIsolation"):
        raise _unsupported("EnableNetworkIsolation")


def _check_variant(asked: Params) -> None:
    name, config = asked["VariantName"], asked["ServerlessConfig"]
    given = [member for member in _OF_INSTANCES if asked.get(member) is not None]
    if given:
        raise ValidationError(f"Production variant {name}: {given[0]} cannot be specified with ServerlessConfig.")
    if "ModelName" not in asked:
        raise ValidationError(f"Production variant {name}: ModelName is required with ServerlessConfig.")
    memory = config["MemorySizeInMB"]
    if memory % _MEMORY_STEP_MB:
        raise ValidationError(
            f"Production variant {name}: MemorySizeInMB {memory} is not valid. Valid values are 1024, 2048, 3072, "
            "4096, 5120 and 6144."
        )
    check_concurrency(name, config["MaxConcurrency"], config.get("ProvisionedConcurrency") or 0)


def check_concurrency(variant: str, most: int, provisioned: int) -> None:
    """Raises ValidationError."""
    if provisioned > most:
        raise ValidationError(
            f"Production variant {variant}: ProvisionedConcurrency ({provisioned}) must be less than or equal to "
            f"MaxConcurrency ({most})."
        )


def _check_model(context: Context, asked: Params) -> None:
    model = require(MODEL, context, asked["ModelName"]).spec
    containers = containers_of(model)
    if len(containers) > 1:
        raise _unsupported("inference pipelines")
    if containers[0].get("Mode") == MULTI_MODEL:
        raise _unsupported("multi-model endpoints")
    if model.get("VpcConfig") or (containers[0].get("ImageConfig") or {}).get("RepositoryAccessMode") == "Vpc":
        raise _unsupported("VPC configuration")
    if model.get("EnableNetworkIsolation"):
        raise _unsupported("network isolation")


def _unsupported(what: str) -> ValidationError:
    return ValidationError(f"Serverless Inference does not support {what}.")


def deployed(asked: Params) -> Variant:
    """What a serverless variant has in place of instances: first one replica at least, that its model may be seen to
    come up (AWS has such an endpoint fail as well)."""
    config = asked["ServerlessConfig"]
    provisioned = config.get("ProvisionedConcurrency") or 0
    return {
        "serverless": Serverless(
            memory_mb=config["MemorySizeInMB"],
            max_concurrency=config["MaxConcurrency"],
            provisioned=provisioned,
            failures=0,
            said="",
        ),
        "desired_count": max(1, provisioned),
        "startup_seconds": STANDING_UP_SECONDS,
        "download_seconds": STANDING_UP_SECONDS,
    }


def check_way(config: Params | None, old: Deployment, new: Deployment) -> None:
    """What UpdateEndpoint cannot do: bring instances to nothing, or shift what has no count of instances in parts.

    Raises ValidationError.
    """
    was, becomes = _has_serverless(old), _has_serverless(new)
    if becomes and not was:
        raise ValidationError("An endpoint that has instances cannot be updated to a serverless endpoint.")
    rolling = (config or {}).get("RollingUpdatePolicy")
    routing = ((config or {}).get("BlueGreenUpdatePolicy") or {}).get("TrafficRoutingConfiguration") or {}
    if (was or becomes) and (rolling or routing.get("Type", "ALL_AT_ONCE") != "ALL_AT_ONCE"):
        raise _unsupported("a DeploymentConfig other than ALL_AT_ONCE")


def _has_serverless(deployment: Deployment) -> bool:
    return any("serverless" in variant for variant in deployment["variants"])


def updated(variant: Variant, config: Params) -> Variant:
    """`variant` with ServerlessUpdateConfig. Raises ValidationError."""
    if "serverless" not in variant:
        raise ValidationError(f"Variant {variant['name']} is not serverless: it has no ServerlessUpdateConfig.")
    serverless = variant["serverless"].copy()
    serverless["max_concurrency"] = config.get("MaxConcurrency") or serverless["max_concurrency"]
    serverless["provisioned"] = config.get("ProvisionedConcurrency") or serverless["provisioned"]
    check_concurrency(variant["name"], serverless["max_concurrency"], serverless["provisioned"])
    count = min(serverless["max_concurrency"], max(variant["desired_count"], serverless["provisioned"]))
    return {**variant, "serverless": serverless, "desired_count": count}


def shown(variant: Variant) -> Params:
    """Its ServerlessConfig, as Describe shows it."""
    serverless = variant["serverless"]
    return present(
        {
            "MemorySizeInMB": serverless["memory_mb"],
            "MaxConcurrency": serverless["max_concurrency"],
            "ProvisionedConcurrency": serverless["provisioned"] or None,
        }
    )
