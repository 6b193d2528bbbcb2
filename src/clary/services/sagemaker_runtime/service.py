"""SageMaker Runtime: which operations are offered, and the right that each needs."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from clary.calls import Access, Call
from clary.names import Arn, sagemaker_arn
from clary.services.registry import Service


def endpoint_name(given: str) -> str:
    """An endpoint's name, from a name or an ARN (both may stand in `EndpointName`)."""
    return given.rpartition("/")[2] if given.startswith("arn:") else given


_TARGETS = frozenset({"TargetModel", "TargetVariant", "TargetContainerHostname"})
"""Each is a condition key of the same name."""


def access(call: Call) -> list[Access]:
    """`sagemaker:InvokeEndpoint` on the endpoint
    (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html)."""
    params = call.params
    plain = _plain(call.operation, call.region, call.principal.account, params.get("EndpointName", ""))
    if _TARGETS.isdisjoint(params):
        return [plain]
    context = {f"sagemaker:{member}": params[member] for member in sorted(_TARGETS.intersection(params))}
    return [replace(plain, context=context)]


@lru_cache(maxsize=1024)
def _plain(operation: str, region: str, account: str, given: str) -> Access:
    return Access(f"sagemaker:{operation}", sagemaker_arn(region, account, "endpoint", endpoint_name(given)))


def log_group_arn(region: str, account: str, group: str) -> str:
    """The log group of an endpoint, as ModelError's LogStreamArn names it."""
    return str(Arn("logs", region, account, f"log-group:{group}"))


SERVICE = Service("sagemaker-runtime", access, "clary.services.sagemaker_runtime.operations")
