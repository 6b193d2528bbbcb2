"""How requests name functions: by name, by a part of the ARN, by the ARN, each with or without a qualifier
(https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html#API_GetFunction_RequestParameters)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clary.calls import Call
from clary.names import Arn
from clary.services.lambda_.errors import invalid

LATEST = "$LATEST"


@dataclass(frozen=True)
class Reference:
    """What a request names."""

    account: str
    region: str
    name: str
    qualifier: str = ""

    @property
    def function_arn(self) -> str:
        """Without the qualifier."""
        return str(Arn("lambda", self.region, self.account, f"function:{self.name}"))

    @property
    def arn(self) -> str:
        """With the qualifier, where there is one."""
        return f"{self.function_arn}:{self.qualifier}" if self.qualifier else self.function_arn


def reference(call: Call, params: dict[str, Any]) -> Reference:
    """From `FunctionName` and `Qualifier`. Raises InvalidParameterValueException where they contradict one another."""
    account, region, name, inner = _parts(call, params["FunctionName"])
    qualifier = params.get("Qualifier") or ""
    if inner and qualifier and inner != qualifier:
        raise invalid("The derived qualifier from the function name does not match the specified qualifier.")
    return Reference(account, region, name, qualifier or inner)


def _parts(call: Call, given: str) -> tuple[str, str, str, str]:
    account, region = call.principal.account, call.region
    parts = given.split(":")
    if given.startswith("arn:"):
        region, account, parts = parts[3], parts[4], parts[6:]
    elif "function" in parts[:3] and len(parts) > 1:
        place = parts.index("function")
        account = parts[place - 1] if place else account
        region = parts[place - 2] if place > 1 else region
        parts = parts[place + 1 :]
    elif len(parts) > 1 and parts[0].isdigit() and len(parts[0]) == 12:
        account, parts = parts[0], parts[1:]
    return account, region, parts[0], parts[1] if len(parts) > 1 else ""
