"""Several containers in one model: in line, each fed with the answer of the one before it, or each asked by its name
(https://docs.aws.amazon.com/sagemaker/latest/dg/multi-container-endpoints.html)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.errors import ValidationError
from clary.lifecycles.endpoint import MULTI_MODEL
from clary.services.resources import Params
from clary.services.sagemaker.errors import not_offered
from clary.workload.s3uri import canonical

SERIAL, DIRECT = "Serial", "Direct"


def check_containers(params: Params) -> None:
    """What CreateModel asks of the containers together. Raises ValidationError; but for the first text no public source
    shows AWS's words."""
    if ("PrimaryContainer" in params) == ("Containers" in params):
        raise ValidationError("You must specify either PrimaryContainer or Containers, but not both.")
    containers = params.get("Containers")
    many = [each for each in containers or () if each.get("Mode") == MULTI_MODEL]
    if many and execution_mode(params) == DIRECT:
        raise not_offered("ContainerDefinition.Mode MultiModel with InferenceExecutionConfig.Mode Direct")
    if len(many) > 1:
        raise ValidationError("A model can have only one container with Mode MultiModel.")
    if containers is not None and not containers:
        raise ValidationError("A model must have at least one container.")
    if execution_mode(params) == DIRECT and len(containers or ()) < 2:
        raise ValidationError("InferenceExecutionConfig Mode Direct requires at least two Containers.")
    _check_hostnames([each.get("ContainerHostname") for each in containers or ()], execution_mode(params))


def check_many_models(container: Params) -> None:
    """What a container that hosts many models must say: its models are below a prefix, and may be put there later.

    Raises ValidationError; no public source shows AWS's words.
    """
    url = container.get("ModelDataUrl") or ""
    if not canonical(url).startswith("s3://"):
        raise ValidationError("ContainerDefinition Mode MultiModel requires ModelDataUrl to be a prefix in Amazon S3.")
    if url.endswith(".tar.gz"):
        raise ValidationError(f"ContainerDefinition Mode MultiModel: ModelDataUrl {url} is not a prefix.")
    if container.get("ModelDataSource"):
        raise ValidationError("ContainerDefinition Mode MultiModel does not support ModelDataSource.")


def _check_hostnames(hostnames: list[str | None], mode: str) -> None:
    if len(hostnames) < 2:
        return
    given = [hostname for hostname in hostnames if hostname]
    if mode == DIRECT and len(given) < len(hostnames):
        raise ValidationError("InferenceExecutionConfig Mode Direct requires a ContainerHostname for every container.")
    if given and len(given) < len(hostnames):
        raise ValidationError("If you specify ContainerHostname for any container, you must specify it for every one.")
    twice = sorted({hostname for hostname in given if given.count(hostname) > 1})
    if twice:
        raise ValidationError(f"ContainerHostname must be unique in a model: {', '.join(twice)}.")


def execution_mode(spec: Mapping[str, Any]) -> str:
    """`Serial`, also where nobody says it, or `Direct`."""
    mode: str = (spec.get("InferenceExecutionConfig") or {}).get("Mode") or SERIAL
    return mode


def containers_of(spec: Mapping[str, Any]) -> list[Params]:
    """The container definitions of a model, in their order."""
    return [spec["PrimaryContainer"]] if "PrimaryContainer" in spec else list(spec["Containers"])
