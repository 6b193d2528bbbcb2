"""Systems Manager: what is offered (Parameter Store), and the right that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html)."""

from __future__ import annotations

from clary.calls import Access, Call
from clary.services.registry import Service
from clary.services.ssm.names import arn, selected


def access(call: Call) -> list[Access]:
    """`ssm:<Operation>` on each parameter, or on the path, that is named."""
    conditions = _conditions(call)
    return [Access(f"ssm:{call.operation}", resource, conditions) for resource in _resources(call)]


def _resources(call: Call) -> list[str]:
    params = call.params
    if call.operation == "GetParametersByPath":
        return [arn(call.region, call.principal.account, params["Path"].removesuffix("/"))]
    names = params.get("Names") or [params.get("Name") or params.get("ResourceId")]
    if names == [None]:
        return ["*"]
    return [arn(call.region, call.principal.account, selected(name).name) for name in names]


def _conditions(call: Call) -> dict[str, str | list[str]]:
    params = call.params
    keys: dict[str, str | list[str]] = {}
    if call.operation == "PutParameter":
        keys["ssm:Overwrite"] = str(bool(params.get("Overwrite"))).lower()
    if call.operation == "GetParametersByPath":
        keys["ssm:Recursive"] = str(bool(params.get("Recursive"))).lower()
    tags = params.get("Tags") or ()
    if tags:
        keys |= {f"aws:RequestTag/{tag['Key']}": tag["Value"] for tag in tags}
    names = [tag["Key"] for tag in tags] or params.get("TagKeys")
    if names:
        keys["aws:TagKeys"] = list(names)
    return keys


SERVICE = Service("ssm", access, "clary.services.ssm.operations")
