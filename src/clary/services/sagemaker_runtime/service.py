"""SageMaker Runtime: which operations are offered, and the right that each needs."""

from __future__ import annotations

from clary.calls import Access, Call
from clary.names import Arn, sagemaker_arn
from clary.services.registry import Service


def endpoint_name(given: str) -> str:
    """An endpoint's name, from a name or an ARN (both may stand in `EndpointName`)."""
    return given.rpartition("/")[2] if given.startswith("arn:") else given


_TARGETS = ("TargetModel", "TargetVariant", "TargetContainerHostname")
"""Each is a condition key of the same name."""


def access(call: Call) -> list[Access]:
    """`sagemaker:InvokeEndpoint` on the endpoint
    (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html)."""
    given = call.params.get("EndpointName", "")
    name = endpoint_name(given)
    arn = sagemaker_arn(call.region, call.principal.account, "endpoint", name)
    context = {f"sagemaker:{member}": call.params[member] for member in _TARGETS if member in call.params}
    return [Access(f"sagemaker:{call.operation}", arn, context)]


def log_group_arn(region: str, account: str, group: str) -> str:
    """The log group of an endpoint, as ModelError's LogStreamArn names it."""
    return str(Arn("logs", region, account, f"log-group:{group}"))


SERVICE = Service("sagemaker-runtime", access)
