"""Refusals in AWS's words (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html)."""

from __future__ import annotations

from collections.abc import Mapping

from clary.calls import Principal
from clary.errors import AccessDenied
from clary.identity.policy import Decision, Layer

_XML_SERVICES = frozenset({"s3", "sts", "iam"})
"""Their code is AccessDenied, without `Exception`."""

_IN: Mapping[Layer, str] = {
    "identity": "an identity-based policy",
    "boundary": "a permissions boundary",
    "session": "a session policy",
    "resource": "a resource-based policy",
}
_NO: Mapping[Layer, str] = {
    "identity": "no identity-based policy",
    "boundary": "no permissions boundary",
    "session": "no session policy",
    "resource": "no resource-based policy",
}


def _reason(action: str, decision: Decision) -> str:
    if decision.effect == "explicitDeny":
        return f"with an explicit deny in {_IN[decision.layer]}"
    return f"because {_NO[decision.layer]} allows the {action} action"


def denied(service: str, principal: Principal, action: str, resource: str, decision: Decision) -> AccessDenied:
    """The error to raise."""
    if principal.kind == "anonymous":
        return coded(service, "Access Denied")
    shown = f'"{resource}"' if service == "s3" else resource
    action = action.replace("sns:", "SNS:", 1) if service == "sns" else action
    asked = f"User: {principal.arn} is not authorized to perform: {action} on resource: {shown}"
    return coded(service, f"{asked} {_reason(action, decision)}")


def coded(service: str, text: str) -> AccessDenied:
    """AccessDenied under the code that the service's protocol uses."""
    error = AccessDenied(text)
    if service in _XML_SERVICES:
        error.code = "AccessDenied"
    return error
