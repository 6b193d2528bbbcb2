"""How a function's letters reach queues and topics: by the operations that a client would call, as its role."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from clary.calls import Call, Door
from clary.errors import AWSError
from clary.functions.letters import STEP_DONE, Letter
from clary.gateway.identity import Identity
from clary.identity.issuing import role_principal
from clary.names import Arn
from clary.services.registry import Registry
from clary.wire import models
from clary.wire.validation import validate


def _message(letter: Letter, queue: Arn) -> tuple[str, dict[str, Any]]:
    attributes = {name: {"DataType": kind, "StringValue": said} for name, (kind, said) in letter.attributes.items()}
    address = f"/{queue.account}/{queue.resource}"
    return "SendMessage", {"QueueUrl": address, "MessageBody": letter.body, "MessageAttributes": attributes}


def _publication(letter: Letter, topic: Arn) -> tuple[str, dict[str, Any]]:
    attributes = {name: {"DataType": kind, "StringValue": said} for name, (kind, said) in letter.attributes.items()}
    return "Publish", {"TopicArn": str(topic), "Message": letter.body, "MessageAttributes": attributes}


_OPERATIONS: Mapping[str, Callable[[Letter, Arn], tuple[str, dict[str, Any]]]] = {"sqs": _message, "sns": _publication}
"""The operation and its parameters, by the target's service."""


_ROTATED = "secretsmanager"

Ask = Callable[[str, Mapping[str, Any]], Awaitable[dict[str, Any]]]
"""One of Clary's own requests to control."""


class FunctionLetters:
    """Sends them, from the edge."""

    def __init__(self, registry: Registry, identity: Identity, control: Door, ask: Ask, account: str) -> None:
        self._registry = registry
        self._identity = identity
        self._control = control
        self._ask = ask
        self._account = account

    async def __call__(self, letter: Letter) -> None:
        """It is kept where it was sent when this returns. Raises AWSError."""
        target = Arn.parse(letter.arn)
        if target.service == _ROTATED:
            await self._ask(STEP_DONE, {"secret": letter.arn, **json.loads(letter.body)})
            return
        if target.service not in _OPERATIONS:
            raise AWSError("NotImplemented", f"{letter.arn} cannot be told anything.", status=400)
        operation, params = _OPERATIONS[target.service](letter, target)
        session = Arn.parse(letter.function).resource.rpartition(":")[2]
        principal = role_principal(self._identity.directory().identities, self._account, letter.role, session)
        call = Call(principal, target.service, operation, params, target.region, parent=letter.function)
        validate(models.operation(call.service, call.operation).input_shape, call.params)
        self._identity.authorise(call, self._registry.services[call.service].access(call))
        await self._control(call)
