"""What an API may have done for it; whoever holds the edge's parts provides it."""

from __future__ import annotations

from typing import Any, Protocol

from clary.apis.outbound import Sent
from clary.calls import Call, Principal
from clary.serving.client import Response
from clary.wire.http import HttpResponse


class NoRole(Exception):
    """The role cannot be taken."""


class Effects(Protocol):
    """Operations of AWS services as somebody, and requests to HTTP addresses."""

    async def call(self, call: Call) -> dict[str, Any]:
        """Carry out an operation: validated, authorised. Raises AWSError."""
        ...

    async def answer(self, call: Call) -> HttpResponse:
        """The same as its protocol's answer, refusals included."""
        ...

    async def send(self, request: Sent) -> Response:
        """Ask an HTTP address. Raises outbound.Forbidden, outbound.Unreachable."""
        ...

    def role(self, arn: str) -> Principal:
        """A session of a role that trusts API Gateway. Raises NoRole."""
        ...

    def service(self, account: str) -> Principal:
        """API Gateway itself, as which functions are invoked whose policies allow it."""
        ...
