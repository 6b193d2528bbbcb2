"""Whether a function's own policy lets a service invoke it
(https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from clary.calls import Call
from clary.functions.table import Function
from clary.identity.context import context_of
from clary.identity.policy import Question, compile_policy
from clary.identity.trust import trusts_service


class Finds(Protocol):
    """Knows functions."""

    def find(self, account: str, region: str, name: str, qualifier: str = "") -> Function:
        """Raises ResourceNotFoundException's error."""
        ...


def permits(functions: Finds, call: Call, service: str) -> bool:
    """Whether the function that a call invokes has said that the service may."""
    name, qualifier = function_name(call.params["FunctionName"])
    function = functions.find(call.principal.account, call.region, name, qualifier)
    return lets_in(function.policies.get(qualifier, ()), call, function.arn, service)


def function_name(given: str) -> tuple[str, str]:
    """Name and qualifier of what an invocation names: `NAME`, `NAME:QUALIFIER`, or an ARN of either."""
    parts = given.split(":")
    if parts[0] == "arn" and len(parts) >= 7:
        parts = parts[6:]
    elif len(parts) >= 3 and parts[1] == "function":  # ACCOUNT:function:NAME
        parts = parts[2:]
    return parts[0], parts[1] if len(parts) > 1 else ""


def lets_in(statements: Sequence[Mapping[str, Any]], call: Call, arn: str, service: str) -> bool:
    """Whether these statements let the service invoke the function for the call's `parent`, the method that asks."""
    account = call.principal.account
    more = {"aws:SourceArn": call.parent, "aws:SourceAccount": account}
    question = Question("lambda:InvokeFunction", arn, lambda: context_of(call, account, {}, more))
    policy = compile_policy({"Version": "2012-10-17", "Statement": list(statements)}, arn)
    return trusts_service(policy, question, service)
