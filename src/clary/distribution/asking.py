"""ECR's operations, as the registry asks for them on behalf of who speaks to it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from clary.calls import Call, Principal
from clary.gateway.keyring import Authorizer
from clary.services.ecr.names import REPOSITORY
from clary.services.ecr.service import SERVICE
from clary.store.rows import Key
from clary.wire import models
from clary.wire.validation import validate


class ControlDoor(Protocol):
    """The way to control."""

    async def __call__(self, call: Call) -> dict[str, Any]:
        """An operation's output. Raises AWSError."""
        ...

    async def ask(self, name: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one of Clary's own questions. Raises AWSError."""
        ...


@dataclass(frozen=True)
class Asker:
    """One principal, speaking to one registry."""

    principal: Principal
    registry: str
    region: str
    source_ip: str
    authorizer: Authorizer
    door: ControlDoor

    def repository(self, name: str) -> Key:
        """The key of a repository."""
        return Key(REPOSITORY, self.registry, self.region, name)

    async def ask(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The output. Raises AWSError: ECR's own, AccessDenied, ValidationError."""
        call = self._call(operation, params)
        streamed = isinstance(params.get("layerPartBlob"), dict)  # received already: it lies in a file
        if not streamed:
            validate(models.operation("ecr", operation).input_shape, call.params)
        self.authorizer.authorise(call, SERVICE.access(call))
        return await self.door(call)

    def authorise(self, operation: str, name: str) -> None:
        """Raises AccessDenied where the principal may not do this to the repository."""
        call = self._call(operation, {"repositoryName": name})
        self.authorizer.authorise(call, SERVICE.access(call))

    async def question(self, question: str, name: str, upload: str) -> dict[str, Any]:
        """One of Clary's own questions, about an upload. Raises AWSError; AccessDenied where the upload is none of the
        principal's business."""
        self.authorise("UploadLayerPart", name)
        named = {"account": self.registry, "region": self.region, "repository": name, "upload": upload}
        return await self.door.ask(question, named)

    def _call(self, operation: str, params: Mapping[str, Any]) -> Call:
        return Call(
            principal=self.principal,
            service="ecr",
            operation=operation,
            params={"registryId": self.registry, **params},
            region=self.region,
            request_id=secrets.token_hex(16),
            source_ip=self.source_ip,
        )
