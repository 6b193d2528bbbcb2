"""Invoke (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html), carried out next to the socket."""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any, Protocol

from clary.calls import Call
from clary.functions.errors import no_client_context, no_json, too_large
from clary.functions.invoking import Invocation, Outcome
from clary.functions.table import Function
from clary.services.lambda_.references import reference
from clary.services.lambda_.service import SERVICE

SYNCHRONOUS_BYTES = 6_291_556
"""Six megabytes and what AWS adds to them."""

EVENT_BYTES = 1_048_576


class Functions(Protocol):
    """Knows functions, and asks them."""

    def find(self, account: str, region: str, name: str, qualifier: str = "") -> Function:
        """Raises ResourceNotFoundException's error."""
        ...

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Raises AWSError where the function could not be asked."""
        ...


class Events(Protocol):
    """Takes invocations in that nobody waits for."""

    async def accept(self, invocation: Invocation) -> None:
        """Durable when it returns."""
        ...


class EdgeContext(Protocol):
    """What an operation at the edge is given (of `services.context.EdgeContext`, this much is needed here)."""

    @property
    def call(self) -> Call:
        """Who asks, and where."""
        ...

    @property
    def functions(self) -> Functions:
        """The way to execution environments."""
        ...

    @property
    def events(self) -> Events:
        """Invocations that nobody waits for."""
        ...


@SERVICE.operation("Invoke", place="edge")
async def invoke(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """The function's answer; 202 for an event, 204 for a dry run. Raises ResourceNotFoundException,
    TooManyRequestsException, RequestTooLargeException, InvalidRequestContentException, ResourceConflictException."""
    kind, event = params.get("InvocationType") or "RequestResponse", params.get("Payload") or b""
    invocation = _invocation(context, params, checked(event, kind))
    if kind == "DryRun":
        return {"StatusCode": 204, "Payload": b""}
    if kind == "Event":
        await context.events.accept(invocation)
        return {"StatusCode": 202, "Payload": b""}
    outcome = await context.functions.invoke(invocation)
    answer: dict[str, Any] = {"StatusCode": 200, "Payload": outcome.payload, "ExecutedVersion": outcome.version}
    if outcome.error:
        answer["FunctionError"] = outcome.error
    if invocation.wants_log:
        answer["LogResult"] = base64.b64encode(outcome.log).decode()
    return answer


def _invocation(context: EdgeContext, params: dict[str, Any], event: bytes) -> Invocation:
    named = reference(context.call, params)
    function = context.functions.find(named.account, named.region, named.name, named.qualifier)
    return Invocation(
        function=function,
        qualifier=named.qualifier,
        event=event,
        request=_request(context.call),
        client_context=client_context(params.get("ClientContext") or ""),
        wants_log=params.get("LogType") == "Tail",
    )


def client_context(sent: str) -> str:
    """The JSON that the client sent about itself, in base64. Raises AWSError (InvalidRequestContentException)."""
    try:
        text = base64.b64decode(sent, validate=True).decode()
        if text and not isinstance(json.loads(text), dict):
            raise no_client_context()
    except (ValueError, RecursionError):
        raise no_client_context() from None
    return text


def _request(call: Call) -> str:
    """The request's id, as a UUID: logs and answers call the invocation by it."""
    try:
        return str(uuid.UUID(call.request_id))
    except ValueError:
        return str(uuid.uuid4())


def checked(event: bytes, kind: str) -> bytes:
    """The event, which is JSON. Raises AWSError (RequestTooLargeException, InvalidRequestContentException)."""
    limit = EVENT_BYTES if kind == "Event" else SYNCHRONOUS_BYTES
    if len(event) > limit:
        raise too_large(len(event), limit, kind)
    if not event:
        return b"{}"
    try:
        json.loads(event)
    except (ValueError, RecursionError) as error:
        raise no_json(str(error)) from None
    return event
