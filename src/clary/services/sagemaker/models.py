"""Models (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModel.html)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from clary.errors import ValidationError
from clary.services.context import Context
from clary.services.resources import Params, Resource, declare
from clary.services.sagemaker.errors import already_existing, could_not_find, no_model_data, not_offered
from clary.services.sagemaker.references import has_objects, is_object, resolve_image
from clary.services.sagemaker.roles import check_role
from clary.services.sagemaker.service import SERVICE


def fill_model(context: Context, params: Params) -> Params:
    """The spec of a model. Raises ValidationError, AccessDenied."""
    if ("PrimaryContainer" in params) == ("Containers" in params):
        raise ValidationError("You must specify either PrimaryContainer or Containers, but not both.")
    check_role(context, params.get("ExecutionRoleArn"))
    filled = {**params, "EnableNetworkIsolation": params.get("EnableNetworkIsolation", False)}
    if "PrimaryContainer" in params:
        filled["PrimaryContainer"] = _container(context, params["PrimaryContainer"])
    else:
        filled["Containers"] = [_container(context, container) for container in params["Containers"]]
    return filled


def _container(context: Context, asked: Params) -> Params:
    if "ModelPackageName" in asked:
        raise not_offered("ContainerDefinition.ModelPackageName")
    if "Image" not in asked:
        raise ValidationError("ContainerDefinition: either Image or ModelPackageName is required.")
    resolve_image(context, asked["Image"])
    _check_data(context, asked)
    return {"Mode": "SingleModel", "Environment": {}, **asked}


def _check_data(context: Context, asked: Params) -> None:
    url = asked.get("ModelDataUrl")
    if url and asked.get("Mode") != "MultiModel" and not is_object(context, url):
        raise no_model_data(url)
    source = (asked.get("ModelDataSource") or {}).get("S3DataSource")
    if source is not None:
        there = is_object if source["S3DataType"] == "S3Object" else has_objects
        if not there(context, source["S3Uri"]):
            raise no_model_data(source["S3Uri"])


def container_of(spec: Mapping[str, Any]) -> Params | None:
    """The one container of a model; None where it has several, one after another."""
    containers: list[Params] = [spec["PrimaryContainer"]] if "PrimaryContainer" in spec else spec["Containers"]
    return containers[0] if len(containers) == 1 else None


MODEL = Resource(
    kind="model",
    noun="Model",
    list_member="Models",
    exists=partial(already_existing, "model"),
    missing=partial(could_not_find, "model"),
    fill=fill_model,
)

declare(SERVICE, MODEL)
