"""EC2: what is offered, and the right that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html)."""

from __future__ import annotations

from clary.calls import Access, Call
from clary.services.registry import Service


def access(call: Call) -> list[Access]:
    """`ec2:<Operation>` on `*`: operations that describe know no resources."""
    return [Access(f"ec2:{call.operation}", "*", {"ec2:Region": call.region})]


SERVICE = Service("ec2", access, "clary.services.ec2.operations")
