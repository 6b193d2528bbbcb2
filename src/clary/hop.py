"""The hop from the edge to control: a call and its outcome as the messages of `wire.frames`.

Control greets each connection. A caller that was not greeted has nothing running there: it may go elsewhere or give up.
Then one message goes each way in turn: a call or a question, and its outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from clary.calls import Call, Principal
from clary.errors import AWSError

GREETING: dict[str, Any] = {"clary": 1}
"""The first message of every connection, from control; the number is the protocol's."""

_OF_CALLS, _OF_PRINCIPALS = (tuple(each.name for each in fields(kind)) for kind in (Call, Principal))


def call_message(call: Call) -> dict[str, Any]:
    """A call, to be carried out by control."""
    said = {name: getattr(call, name) for name in _OF_CALLS}
    return {"call": said | {"principal": {name: getattr(call.principal, name) for name in _OF_PRINCIPALS}}}


def call_of(message: dict[str, Any]) -> Call:
    """The inverse of `call_message`."""
    said = message["call"]
    return Call(**{**said, "principal": _principal(said["principal"])})


def question(name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """One of Clary's own requests of control (`health`, `reset`), which are no AWS operations."""
    return {"ask": name, "params": dict(params)}


def output_message(output: dict[str, Any]) -> dict[str, Any]:
    """The outcome where all went well."""
    return {"output": output}


def error_message(error: AWSError) -> dict[str, Any]:
    """The outcome where AWS would answer an error."""
    more = {"status": error.status, "members": error.members, "headers": error.headers}
    return {"error": {"code": error.code, "message": error.message, **more}}


def outcome(message: dict[str, Any]) -> dict[str, Any]:
    """The output, or AWSError raised."""
    error = message.get("error")
    if error is not None:
        raise AWSError(**error)
    output: dict[str, Any] = message["output"]
    return output


def _principal(said: dict[str, Any]) -> Principal:
    return Principal(**{**said, "session_policies": tuple(said["session_policies"])})
