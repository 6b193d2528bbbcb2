"""A model as SageMaker's public hub describes it: what SDK 3's `JumpStartConfig` leads to.

The document's form is that of SDK 3.27's `sagemaker.core.jumpstart.models.HubContentDocument`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.jumpstart import specs
from clary.jumpstart.names import bucket_name
from clary.jumpstart.offered import MODELS, VERSIONS, Model

NAME = "SageMakerPublicHub"
SCHEMA = "2.4.0"
"""The version of the document's schema."""


def find(name: str, version: str) -> tuple[Model, str] | None:
    """The model of that name and the version meant, the newest where none is given; None where there is none."""
    wanted = VERSIONS[-1] if version in ("", "*") else version
    return next(((model, wanted) for model in MODELS if model.id == name and wanted in VERSIONS), None)


def document(model: Model, version: str, region: str) -> dict[str, Any]:
    """Everything about it; addresses are those of the region."""
    spec = specs.spec(model, version)
    return {
        "Url": spec["url"],
        "MinSdkVersion": spec["min_sdk_version"],
        "ModelTypes": ["OPEN_WEIGHTS"],
        "Capabilities": ["TRAINING"],
        "Framework": model.title,
        "Task": f"Tabular {model.task}",
        "ResourceNameBase": spec["resource_name_base"],
        "IncrementalTrainingSupported": False,
        "GatedBucket": False,
        **_training(spec, region),
        **_hosting(spec, region),
    }


def _training(spec: Mapping[str, Any], region: str) -> dict[str, Any]:
    images = _variants(spec["training_instance_type_variants"], region)
    return {
        "TrainingSupported": True,
        "TrainingEcrUri": _first_image(images),
        "TrainingScriptUri": _address(spec["training_script_key"], region),
        "TrainingArtifactUri": _address(spec["training_artifact_key"], region),
        "TrainingArtifactS3DataType": "S3Object",
        "TrainingArtifactCompressionType": "None",
        "TrainingMetrics": spec["metrics"],
        "TrainingDependencies": [],
        "TrainingVolumeSize": spec["training_volume_size"],
        "TrainingEnableNetworkIsolation": False,
        "DefaultTrainingInstanceType": spec["default_training_instance_type"],
        "SupportedTrainingInstanceTypes": spec["supported_training_instance_types"],
        "DefaultTrainingDatasetUri": _address(spec["default_training_dataset_key"], region),
        "TrainingInstanceTypeVariants": images,
        "Hyperparameters": [_upper(each) for each in spec["hyperparameters"]],
    }


def _hosting(spec: Mapping[str, Any], region: str) -> dict[str, Any]:
    images = _variants(spec["hosting_instance_type_variants"], region)
    return {
        "HostingEcrUri": _first_image(images),
        "HostingScriptUri": _address(spec["hosting_script_key"], region),
        "HostingArtifactUri": _address(spec["hosting_artifact_key"], region),
        "HostingArtifactS3DataType": "S3Object",
        "HostingArtifactCompressionType": "Gzip",
        "HostingUseScriptUri": spec["hosting_use_script_uri"],
        "DefaultInferenceInstanceType": spec["default_inference_instance_type"],
        "SupportedInferenceInstanceTypes": spec["supported_inference_instance_types"],
        "HostingInstanceTypeVariants": images,
        "InferenceDependencies": [],
        "InferenceEnvironmentVariables": [_upper(each) for each in spec["inference_environment_variables"]],
        "SageMakerSdkPredictorSpecifications": _upper(spec["predictor_specs"]),
        "DynamicContainerDeploymentSupported": False,
    }


def _variants(variants: Mapping[str, Any], region: str) -> dict[str, Any]:
    """One region's, with its addresses filled in."""
    aliases = variants["regional_aliases"].get(region, {})
    addresses = {
        family: aliases.get(each["regional_properties"]["image_uri"].removeprefix("$"))
        for family, each in variants["variants"].items()
    }
    return {
        "Aliases": aliases,
        "Variants": {family: {"Properties": {"ImageUri": address}} for family, address in addresses.items()},
    }


def _first_image(images: Mapping[str, Any]) -> str | None:
    return next(iter(images["Aliases"].values()), None)


def _address(key: str, region: str) -> str:
    return f"s3://{bucket_name(region)}/{key}"


def _upper(values: Mapping[str, Any]) -> dict[str, Any]:
    """`default_accept_type` → `DefaultAcceptType`; ends of ranges that are left out have no name there."""
    return {
        "".join(word.title() for word in name.split("_")): value
        for name, value in values.items()
        if not name.startswith("exclusive_")
    }
