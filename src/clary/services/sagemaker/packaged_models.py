"""Models that are made from a model package: the package says image, data and environment
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.errors import ValidationError
from clary.services import resources
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.sagemaker.model_packages import PACKAGE
from clary.store.rows import Row

_FROM_PACKAGE = ("ContainerHostname", "Image", "ModelDataUrl", "ModelDataSource", "AdditionalModelDataSources")


def containers(context: Context, asked: Params) -> list[Params]:
    """The container definitions that a package stands for. Raises ValidationError."""
    if "Image" in asked or "ModelDataUrl" in asked or "ModelDataSource" in asked:
        raise ValidationError("ContainerDefinition: ModelPackageName excludes Image, ModelDataUrl and ModelDataSource.")
    row = resources.require(PACKAGE, context, asked["ModelPackageName"])
    approval = row.spec.get("ModelApprovalStatus", "Approved")
    if approval != "Approved":
        raise ValidationError(
            f"Model package {row.arn} cannot be deployed: its ModelApprovalStatus is {approval}, not Approved."
        )
    found = _specification(row, asked.get("InferenceSpecificationName"))["Containers"]
    return [_definition(each, asked, row.arn) for each in found]


def _specification(row: Row, name: str | None) -> Mapping[str, Any]:
    if name is not None:
        more = row.spec.get("AdditionalInferenceSpecifications", ())
        found = next((each for each in more if each["Name"] == name), None)
        if found is None:
            raise ValidationError(f"Model package {row.arn} has no inference specification {name}.")
        return dict(found)
    specification: Mapping[str, Any] | None = row.spec.get("InferenceSpecification")
    if specification is None:
        raise ValidationError(f"Model package {row.arn} has no InferenceSpecification.")
    return specification


def _definition(packaged: Mapping[str, Any], asked: Params, arn: str) -> Params:
    said = {name: packaged[name] for name in _FROM_PACKAGE if name in packaged}
    environment = {**packaged.get("Environment", {}), **asked.get("Environment", {})}
    return {**asked, **said, "Environment": environment, "ModelPackageName": arn}


def as_asked(spec: Mapping[str, Any]) -> Output:
    """The containers of a model as Describe shows them: of a package, its name and not what it stands for."""
    shown: dict[str, Any] = {}
    if "PrimaryContainer" in spec:
        shown["PrimaryContainer"] = _shown(spec["PrimaryContainer"])
    if "Containers" in spec:
        shown["Containers"] = [_shown(each) for each in spec["Containers"]]
    return shown


def _shown(container: Mapping[str, Any]) -> Params:
    if "ModelPackageName" not in container:
        return dict(container)
    return {name: value for name, value in container.items() if name not in _FROM_PACKAGE}
