"""The Resource Groups Tagging API: what is offered, and the right that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonresourcegrouptaggingapi.html)."""

from __future__ import annotations

from clary.calls import Access, Call
from clary.errors import AWSError
from clary.services.registry import Service


def access(call: Call) -> list[Access]:
    """`tag:<Operation>` on `*`; who changes tags needs the rights of each resource's service too: `changing`."""
    return [Access(f"tag:{call.operation}", "*")]


def invalid(text: str) -> AWSError:
    """InvalidParameterException."""
    return AWSError("InvalidParameterException", text)


SERVICE = Service("resourcegroupstaggingapi", access, "clary.services.tagging.operations")
