"""API Gateway's REST APIs: what is offered, and the right that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html)."""

from __future__ import annotations

import re
from urllib.parse import quote

from clary.calls import Access, Call
from clary.services.registry import Service
from clary.wire import models
from clary.wire.locations import bindings

_LABEL = re.compile(r"\{([^}+]+)\+?\}")


def access_of(call: Call) -> list[Access]:
    """`apigateway:GET` and so on, on the path that the operation asks for: rights are told by method and path here."""
    operation = models.operation(call.service, call.operation)
    members = {b.name: b.member for b in bindings(operation.input_shape) if b.location == "uri"}
    path = operation.http["requestUri"].partition("?")[0].removeprefix("/v2")
    filled = _LABEL.sub(lambda label: quote(str(call.params.get(members[label[1]], "*")), safe="*$"), path)
    context = {f"aws:RequestTag/{key}": value for key, value in (call.params.get("tags") or {}).items()}
    return [Access(f"apigateway:{operation.http['method']}", f"arn:aws:apigateway:{call.region}::{filled}", context)]


SERVICE = Service("apigateway", access_of, "clary.services.apigateway.operations")
