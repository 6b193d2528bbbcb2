"""Application Auto Scaling: what is offered, and the right that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_applicationautoscaling.html)."""

from __future__ import annotations

from collections.abc import Sequence

from clary.calls import Access, Call
from clary.services.registry import Service

_TOLD = {
    "application-autoscaling:service-namespace": "ServiceNamespace",
    "application-autoscaling:scalable-dimension": "ScalableDimension",
}
"""Condition keys, and the members that they tell of."""


def access(call: Call) -> list[Access]:
    """`application-autoscaling:<Operation>`; targets have ARNs that only their tags' operations name."""
    told = {key: call.params[member] for key, member in _TOLD.items() if call.params.get(member)} | _tags(call)
    resource = call.params.get("ResourceARN", "*")
    needed = [Access(f"application-autoscaling:{call.operation}", resource, told)]
    if call.params.get("Tags") and call.operation == "RegisterScalableTarget":
        needed.append(Access("application-autoscaling:TagResource", "*", told))
    return needed


def _tags(call: Call) -> dict[str, str | Sequence[str]]:
    tags = call.params.get("Tags") or {}
    keys = list(tags) or call.params.get("TagKeys")
    return {
        **{f"aws:RequestTag/{key}": value for key, value in tags.items()},
        **({"aws:TagKeys": keys} if keys else {}),
    }


SERVICE = Service("application-autoscaling", access, "clary.services.applicationautoscaling.operations")
