"""Models (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModel.html)."""

from __future__ import annotations

from functools import partial

from clary.errors import ValidationError
from clary.lifecycles.endpoint import MULTI_MODEL
from clary.services.context import Context
from clary.services.declaring import declare
from clary.services.resources import Params, Resource
from clary.services.sagemaker.errors import (
    already_existing,
    could_not_find,
    no_access_to_model_data,
    no_model_data,
    not_offered,
)
from clary.services.sagemaker.images import resolve_image
from clary.services.sagemaker.model_containers import check_containers, check_many_models, containers_of, execution_mode
from clary.services.sagemaker.packaged_models import as_asked, containers
from clary.services.sagemaker.references import has_objects, is_object
from clary.services.sagemaker.roles import check_role, may_list, may_read
from clary.services.sagemaker.service import SERVICE


def fill_model(context: Context, params: Params) -> Params:
    """The spec of a model. Raises ValidationError, AccessDenied."""
    check_containers(params)
    role = params.get("ExecutionRoleArn")
    check_role(context, role)
    filled = {**params, "EnableNetworkIsolation": params.get("EnableNetworkIsolation", False)}
    asked = _unpacked(context, params)
    definitions = [fill_container(context, role, container) for container in asked]
    if "PrimaryContainer" in params and len(definitions) == 1:
        return {**filled, "PrimaryContainer": definitions[0]}
    together = {**filled, "Containers": definitions, "InferenceExecutionConfig": {"Mode": execution_mode(params)}}
    return {name: value for name, value in together.items() if name != "PrimaryContainer"}


def _unpacked(context: Context, params: Params) -> list[Params]:
    """The containers that are asked for, those of model packages as the packages have them."""
    found: list[Params] = []
    for each in containers_of(params):
        found += containers(context, each) if "ModelPackageName" in each else [each]
    return found


def fill_container(context: Context, role: str | None, asked: Params) -> Params:
    """A container definition as it is kept; `role` is who reads its model. Raises ValidationError, AccessDenied."""
    if asked.get("AdditionalModelDataSources"):
        raise not_offered("ContainerDefinition.AdditionalModelDataSources")
    if "Image" not in asked:
        raise ValidationError("ContainerDefinition: either Image or ModelPackageName is required.")
    resolve_image(context, asked["Image"], role)
    if asked.get("Mode") == MULTI_MODEL:
        check_many_models(asked)
    else:
        _check_data(context, role, asked)
    return {"Mode": "SingleModel", "Environment": {}, **asked}


def _check_data(context: Context, role: str | None, asked: Params) -> None:
    """The role's rights come first: whoever has none does not learn what is there."""
    url = asked.get("ModelDataUrl")
    if url:
        _check_address(context, role, url, one=True)
    source = (asked.get("ModelDataSource") or {}).get("S3DataSource")
    if source is not None:
        _check_address(context, role, source["S3Uri"], one=source["S3DataType"] == "S3Object")


def _check_address(context: Context, role: str | None, uri: str, *, one: bool) -> None:
    """`one` object, or all whose addresses begin so. A prefix stands for what is below it: the right to read is asked
    for as if it were an object's."""
    if not may_read(context, role, uri) or not (one or may_list(context, role, uri)):
        raise no_access_to_model_data(uri, context.region, role or "")
    there = is_object if one else has_objects
    if not there(context, uri):
        raise no_model_data(uri)


MODEL = Resource(
    kind="model",
    noun="Model",
    list_member="Models",
    exists=partial(already_existing, "model"),
    missing=partial(could_not_find, "model"),
    fill=fill_model,
    shown=lambda row: as_asked(row.spec),
)

declare(SERVICE, MODEL)
