"""Lambda: what is offered, and the rights that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html)."""

from __future__ import annotations

from collections.abc import Iterator

from clary.calls import Access, Call
from clary.names import Arn
from clary.services.lambda_.references import reference
from clary.services.registry import Service

_ACTIONS = {"Invoke": "InvokeFunction", "InvokeAsync": "InvokeFunction", "GetLayerVersionByArn": "GetLayerVersion"}
"""Where the action's name is not the operation's."""


def access(call: Call) -> list[Access]:
    """`lambda:<Operation>` on the function, version or alias, or layer, that is named."""
    action = f"lambda:{_ACTIONS.get(call.operation, call.operation)}"
    context = dict(_conditions(call))
    return [Access(action, _resource(call), context)]


def _resource(call: Call) -> str:
    params = call.params
    if "FunctionName" in params:
        return reference(call, params).arn
    if "Resource" in params:
        return str(params["Resource"])
    if "Arn" in params:
        return str(params["Arn"])
    if "LayerName" in params:
        return layer_arn(call, params["LayerName"], params.get("VersionNumber"))
    return "*"


def layer_arn(call: Call, name: str, version: int | None = None) -> str:
    """A layer's ARN, from its name or ARN; with a version, that one's."""
    if name.startswith("arn:"):
        return name if version is None else f"{name}:{version}"
    resource = f"layer:{name}" if version is None else f"layer:{name}:{version}"
    return str(Arn("lambda", call.region, call.principal.account, resource))


def _conditions(call: Call) -> Iterator[tuple[str, str | list[str]]]:
    tags = call.params.get("Tags")
    if isinstance(tags, dict):
        yield from ((f"aws:RequestTag/{key}", value) for key, value in tags.items())
        yield "aws:TagKeys", list(tags)
    if call.params.get("Layers"):
        yield "lambda:Layer", list(call.params["Layers"])
    if call.operation == "AddPermission":
        yield "lambda:Principal", call.params["Principal"]
    if "AuthType" in call.params:
        yield "lambda:FunctionUrlAuthType", call.params["AuthType"]


SERVICE = Service("lambda", access, "clary.services.lambda_.operations")
