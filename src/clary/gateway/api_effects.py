"""What APIs may have done at the edge: operations, as if a client had asked, and requests to other machines."""

from __future__ import annotations

import inspect
from typing import Any

from clary.apis.effects import NoRole
from clary.apis.outbound import Outbound, Sent
from clary.calls import Call, Door, Principal, service_principal
from clary.errors import AWSError
from clary.gateway import refusals
from clary.gateway.exchange import EdgeContexts
from clary.gateway.identity import Identity
from clary.gateway.service_rights import Permits, ServiceRights, acting
from clary.identity.issuing import role_principal
from clary.services.registry import Operation, Registry
from clary.serving.client import Response
from clary.settings import Settings
from clary.wire import models
from clary.wire.http import HttpResponse
from clary.wire.protocols import PROTOCOLS, name_of
from clary.wire.validation import validate

SERVICE_PRINCIPAL = "apigateway.amazonaws.com"
_SESSION = "BackplaneAssumeRoleSession"
"""What API Gateway calls its sessions of a role."""


class EdgeEffects:
    """`apis.effects.Effects` at the edge."""

    def __init__(
        self,
        registry: Registry,
        identity: Identity,
        control: Door,
        edge_context: EdgeContexts,
        permits: Permits,
        settings: Settings,
    ) -> None:
        self._registry = registry
        self._identity = identity
        self._control = control
        self._edge_context = edge_context
        self._rights = ServiceRights(identity, permits, everyone=settings.auth == "off")
        self._settings = settings
        self._outbound = Outbound(settings.http_targets, settings.port)

    async def call(self, call: Call) -> dict[str, Any]:
        """Raises AWSError as the gateway would answer it, in the words common to all protocols."""
        operation = self._registry.find(call.service, call.operation)
        if operation is None:
            raise refusals.not_offered("json", call.service, call.operation)
        validate(models.operation(call.service, call.operation).input_shape, call.params)
        self._rights.authorise(call, self._registry.services[call.service].access(call))
        return await self._carry_out(operation, call)

    async def answer(self, call: Call) -> HttpResponse:
        """The operation's answer as its protocol writes it, refusals included."""
        model = models.load(call.service)
        protocol = name_of(model)
        try:
            output = await self.call(call)
        except AWSError as error:
            worded = refusals.worded(error, protocol, call.service)
            return PROTOCOLS[protocol].fault(worded, model, call.request_id)
        return PROTOCOLS[protocol].serialise(output, models.operation(call.service, call.operation), call.request_id)

    async def send(self, request: Sent) -> Response:
        """Raises outbound.Forbidden, outbound.Unreachable, ValueError."""
        return await self._outbound.send(request)

    def role(self, arn: str) -> Principal:
        """A session of a role; that API Gateway may take it was checked when the integration was made."""
        published = self._identity.directory().identities
        if self._settings.auth != "off" and arn not in published["subjects"]:
            raise NoRole(arn)
        return role_principal(published, self._settings.account_id, arn, _SESSION)

    def service(self, account: str) -> Principal:
        """API Gateway itself: told apart by its name, and allowed what the functions' policies allow it."""
        return service_principal(account, SERVICE_PRINCIPAL)

    async def _carry_out(self, operation: Operation, call: Call) -> dict[str, Any]:
        carried = acting(call)
        if operation.place == "control":
            return await self._control(carried)
        output = operation.handler(self._edge_context(carried), carried.params)
        return (await output if inspect.isawaitable(output) else output) or {}
