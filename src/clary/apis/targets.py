"""Where an integration leads: `arn:aws:apigateway:REGION:SERVICE:path/…`, `…:action/…`, or an HTTP address
(https://docs.aws.amazon.com/apigateway/latest/api/API_PutIntegration.html#apigw-PutIntegration-request-uri)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from clary.wire import models

_ARN = re.compile(r"arn:aws[a-z-]*:apigateway:([a-z0-9-]+):([a-z0-9.-]+):(path|action)/(.*)", re.DOTALL)
_FUNCTION = re.compile(r"2015-03-31/functions/(.+)/invocations")
_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")
_PLACEHOLDER = "v"

_MODELS = {
    "runtime.sagemaker": "sagemaker-runtime",
    "dynamodb": "dynamodb",
    "states": "stepfunctions",
    "sqs": "sqs",
    "sns": "sns",
    "s3": "s3",
    "lambda": "lambda",
}
"""Services whose name here is not their model's, and the most common ones."""


@dataclass(frozen=True)
class Target:
    """An operation's service and, by its path or its name, the operation."""

    region: str
    service: str
    """The name of botocore's model."""
    path: str = ""
    """With a slash before it; empty for an action."""
    action: str = ""

    @property
    def function(self) -> str:
        """The function's name or ARN, where the target is one."""
        found = _FUNCTION.fullmatch(self.path[1:]) if self.service == "lambda" else None
        return found[1] if found else ""


def parse(uri: str) -> Target:
    """Raises ValueError, in words for the client."""
    found = _ARN.fullmatch(uri)
    if found is None:
        raise ValueError("Invalid ARN specified in the request")
    region, name, how, rest = found.groups()
    service = _MODELS.get(name, name)
    if service not in models.known_services():
        raise ValueError(f"AWS ARN for integration contains invalid service: {name}")
    if how == "action":
        return Target(region, service, action=rest)
    target = Target(region, service, path=f"/{rest}")
    if service == "lambda" and not target.function:
        raise ValueError("AWS ARN for integration must contain path or action")
    return target


def is_function(uri: str) -> bool:
    """Whether a function is invoked there."""
    try:
        return bool(parse(uri).function)
    except ValueError:
        return False


def is_http(uri: str) -> bool:
    """Whether it is an address of HTTP; stage variables in it count as text."""
    url = urlsplit(_VARIABLE.sub(_PLACEHOLDER, uri))
    try:
        port_is_fine = url.port is None or url.port > 0
    except ValueError:
        return False
    plain = not any(c.isspace() or ord(c) < 32 for c in uri)
    return port_is_fine and plain and url.scheme in ("http", "https") and bool(url.hostname)


def filled(uri: str, variables: dict[str, str]) -> str:
    """With stage variables in place; one that is not there is empty."""
    return _VARIABLE.sub(lambda found: variables.get(found[1], ""), uri)
