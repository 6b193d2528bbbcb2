"""AsyncInferenceConfig: which endpoint configurations may have one, and which updates of an endpoint
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AsyncInferenceConfig.html).

"One or more endpoint features are not supported using this configuration" is what CreateEndpoint says on AWS; what
follows the colon is Clary's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clary.errors import AWSError, ValidationError
from clary.services.context import Context
from clary.services.resources import Params, require
from clary.services.sagemaker.errors import no_access_to_topic
from clary.services.sagemaker.model_containers import DIRECT, containers_of, execution_mode
from clary.services.sagemaker.models import MODEL
from clary.services.sagemaker.roles import may_publish
from clary.workload.errors import WorkloadError
from clary.workload.s3uri import split

_MULTI_MODEL = "MultiModel"
_PATHS = ("S3OutputPath", "S3FailurePath")
_TOPICS = ("SuccessTopic", "ErrorTopic")


def check_asynchronous(context: Context, params: Params, variants: Sequence[Params]) -> None:
    """Raises ValidationError where the configuration cannot be an asynchronous endpoint's."""
    config = params.get("AsyncInferenceConfig")
    if config is None:
        return
    if len(variants) > 1:
        raise _unsupported("several production variants")
    [variant] = variants
    for member in ("ShadowProductionVariants", "DataCaptureConfig", "ServerlessConfig"):
        if params.get(member) or variant.get(member):
            raise _unsupported(member)
    if "ModelName" not in variant:
        raise _unsupported("inference components")
    _check_model(require(MODEL, context, variant["ModelName"]).spec)
    _check_output(config["OutputConfig"])


def check_topics(context: Context, config: Mapping[str, Any], role: str) -> None:
    """On AWS an endpoint whose role may not tell its topics fails, and says this; here it is refused. Raises
    ValidationError."""
    told: Mapping[str, Any] = config["OutputConfig"].get("NotificationConfig") or {}
    for member in _TOPICS:
        if told.get(member) and not may_publish(context, role, told[member]):
            raise no_access_to_topic(told[member], role)


def check_kept(old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> None:
    """An endpoint stays what it is, asynchronous or not; `old` and `new` are deployments. Raises ValidationError.

    The public record of AWS's sentence on what is removed ends in the middle of "To change the e…"; of the other
    direction there is none.
    """
    if ("asynchronous" in old) == ("asynchronous" in new):
        return
    changed = "removed from" if "asynchronous" in old else "added to"
    raise ValidationError(
        f"The AsyncInferenceConfig parameter cannot be {changed} this endpoint {name}. "
        "To change the endpoint, delete it and create another one."
    )


def _check_model(model: Mapping[str, Any]) -> None:
    if execution_mode(model) == DIRECT and len(containers_of(model)) > 1:
        raise _unsupported("containers that are invoked directly")
    if any(container.get("Mode") == _MULTI_MODEL for container in containers_of(model)):
        raise _unsupported("multi-model endpoints")


def _check_output(output: Params) -> None:
    """No public source shows AWS's words."""
    if not output.get("S3OutputPath"):
        raise ValidationError("AsyncInferenceConfig: S3OutputPath is required.")
    for member in _PATHS:
        try:
            split(output.get(member) or output["S3OutputPath"])
        except WorkloadError:
            raise ValidationError(f"AsyncInferenceConfig: {output[member]} is not a valid S3 URI.") from None


def _unsupported(what: str) -> AWSError:
    return ValidationError(
        f"One or more endpoint features are not supported using this configuration: AsyncInferenceConfig with {what}."
    )
