"""One request on its way through the gateway: what is known of it so far, and what is needed to answer it."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from botocore.model import OperationModel

from clary.calls import Call, Door, Principal
from clary.gateway.incoming import Incoming
from clary.gateway.keyring import Authorizer, BodyStore, Keyring
from clary.gateway.sigv2 import SignatureV2
from clary.gateway.sigv4 import Signature
from clary.gateway.transport import transport
from clary.services.registry import Operation, Registry
from clary.settings import Settings
from clary.wire.directory import Directory, Target
from clary.wire.http import HttpRequest, HttpResponse
from clary.wire.values import Params

_INVOCATION_ID: Final = 64
"""Characters of an invocation's id that are looked at; SDKs send UUIDs."""

EdgeContexts = Callable[[Call], Any]
"""Makes what a handler at the edge is given beside its parameters."""


@dataclass(frozen=True)
class Parts:
    """What the steps work with."""

    registry: Registry
    directory: Directory
    keyring: Keyring
    authorizer: Authorizer
    control: Door
    edge_context: EdgeContexts
    bodies: BodyStore
    settings: Settings
    now: Callable[[], float] = time.time


class Exchange:
    """Filled in by the steps, from top to bottom."""

    target: Target
    offered: Operation
    model: OperationModel
    principal: Principal
    response: HttpResponse

    def __init__(self, request: HttpRequest, incoming: Incoming) -> None:
        self.request = request
        self.incoming = incoming
        self.request_id = f"{random.getrandbits(128):032x}"  # a name, no secret
        self.signature: Signature | SignatureV2 | None = None
        self.protocol = ""
        """Empty until the service is known."""
        self.streamed = ""
        """The parameter that is the streamed body; empty where the body is read at once."""
        self.region = ""
        self.params: Params = {}
        self.output: Params = {}
        self._call: Call | None = None

    @property
    def call(self) -> Call:
        """Asked for once it is known who calls; `params` stay the same object, and may still be added to."""
        if self._call is None:
            self._call = self._called()
        return self._call

    def _called(self) -> Call:
        return Call(
            principal=self.principal,
            service=self.offered.service,
            operation=self.offered.name,
            params=self.params,
            region=self.region,
            request_id=self.request_id,
            source_ip=self.request.source_ip,
            transport=transport(self.request, self.signature),
            invocation_id=self.request.headers.get("amz-sdk-invocation-id", "")[:_INVOCATION_ID],
        )


Step = Callable[[Parts, Exchange], Awaitable[None] | None]
"""Does its part of the request's life, or raises AWSError; what it gives back has to be awaited before the next."""
