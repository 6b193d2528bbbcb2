"""Organizations: what is offered, and the right that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html)."""

from __future__ import annotations

from clary.calls import Access, Call
from clary.services.registry import Service


def access(call: Call) -> list[Access]:
    """`organizations:<Operation>` on `*`; a new account's tags stand in the request."""
    tags = call.params.get("Tags") or ()
    keys: dict[str, str | list[str]] = {f"aws:RequestTag/{tag['Key']}": tag["Value"] for tag in tags}
    names = [tag["Key"] for tag in tags] or call.params.get("TagKeys")
    return [Access(f"organizations:{call.operation}", "*", keys | ({"aws:TagKeys": list(names)} if names else {}))]


SERVICE = Service("organizations", access, "clary.services.organizations.operations")
