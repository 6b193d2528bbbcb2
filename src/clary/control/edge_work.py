"""Operations whose place is the edge, where control needs one: invocations that nobody waits for.

All else of the edge's stays with the edge: predictions, objects' bodies and answers of functions do not go through
control.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from clary.apis.permissions import permits
from clary.calls import Call
from clary.errors import AWSError
from clary.functions.event_files import PostedEvents
from clary.functions.invoking import Invocation, Outcome
from clary.functions.known import KnownFunctions
from clary.functions.table import Function
from clary.gateway.service_rights import acting
from clary.keys.secrets import SERVICE as ROTATING
from clary.services.registry import Operation
from clary.settings import Settings


class _Unasked:
    """Functions that are known here and answer elsewhere."""

    def __init__(self, known: KnownFunctions) -> None:
        self._known = known

    def find(self, account: str, region: str, name: str, qualifier: str = "") -> Function:
        """Raises ResourceNotFoundException's error."""
        return self._known.find(account, region, name, qualifier)

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Raises AWSError: always."""
        raise AWSError("NotImplemented", f"{invocation.function.arn} can be invoked as an event from here.", status=501)


@dataclass(frozen=True)
class _Telling:
    """Events whose answers somebody waits for: who has asked for them in its own name."""

    events: PostedEvents
    tell: str

    async def accept(self, invocation: Invocation) -> None:
        """Durable when it returns."""
        await self.events.accept(invocation, self.tell)


@dataclass(frozen=True)
class _Context:
    """What `Invoke` is given."""

    call: Call
    functions: _Unasked
    events: _Telling


class EdgeWork:
    """Carries them out; may be asked from any thread of control's but its event loop's."""

    def __init__(self, settings: Settings) -> None:
        self._known = KnownFunctions(settings.run_dir)
        self._events = PostedEvents(settings.functions_dir / "events")

    def permits(self, call: Call, service: str) -> bool:
        """Whether the function that a call invokes has said that the service may. Raises AWSError where it is none."""
        return permits(self._known, call, service)

    def run(self, operation: Operation, call: Call) -> dict[str, Any]:
        """The output. Raises AWSError."""
        if (operation.service, operation.name) != ("lambda", "Invoke"):
            raise AWSError(
                "NotImplemented", f"{operation.service}.{operation.name} is not called from here.", status=501
            )
        tell = call.parent if call.principal.identity == ROTATING else ""
        context = _Context(acting(call), _Unasked(self._known), _Telling(self._events, tell))
        output: dict[str, Any] = asyncio.run(operation.handler(context, call.params))
        return output
