"""What is said of an event that is over: to destinations, and to dead-letter targets
(https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

FUNCTIONS = "lambda"
"""The service of destinations that are functions."""

STEP_DONE = "rotation-step"
"""The question by which control hears what a function that rotates a secret has answered."""

_VERSION = "1.0"
_MESSAGE_BYTES = 1024
_ANSWERED, _THROTTLED = "200", "429"


class Ended(NamedTuple):
    """How an event ended."""

    condition: str
    """`Success`, `RetriesExhausted`, `EventAgeExceeded`, `ZeroReservedConcurrency`."""
    function: str
    """The function's ARN, with what it was invoked by."""
    request: str
    payload: str
    """JSON."""
    tries: int
    version: str
    """The version that answered last; empty where none has."""
    error: str
    """Empty, `Handled` or `Unhandled`."""
    answer: bytes


@dataclass(frozen=True)
class Letter:
    """One message to a queue or a topic, in the name of the function's role."""

    arn: str
    role: str
    function: str
    """The function's ARN."""
    body: str
    attributes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Types and values."""


Post = Callable[[Letter], Awaitable[None]]
"""Sends one. Raises AWSError."""


def service_of(arn: str) -> str:
    """Of a destination; empty where there is none."""
    return arn.split(":")[2] if arn else ""


def answer(to: str, request: str, error: str) -> Letter:
    """To what waits for it (`Event.tell`): whether it went well."""
    return Letter(to, "", "", json.dumps({"request": request, "error": error}))


def record(ended: Ended) -> dict[str, Any]:
    """What destinations are told."""
    said: dict[str, Any] = {
        "version": _VERSION,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": ended.request,
            "functionArn": ended.function,
            "condition": ended.condition,
            "approximateInvokeCount": ended.tries,
        },
        "requestPayload": json.loads(ended.payload),
    }
    if ended.version:
        context = {"statusCode": int(_ANSWERED), "executedVersion": ended.version}
        said["responseContext"] = context | ({"functionError": ended.error} if ended.error else {})
        said["responsePayload"] = _value(ended.answer)
    return said


def dead_letter(ended: Ended) -> dict[str, tuple[str, str]]:
    """The attributes with which the event itself goes to a dead-letter target
    (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html#invocation-dlq)."""
    return {
        "RequestID": ("String", ended.request),
        "ErrorCode": ("Number", _ANSWERED if ended.version else _THROTTLED),
        "ErrorMessage": ("String", message(ended)),
    }


def message(ended: Ended) -> str:
    """What went wrong, in the function's words."""
    if not ended.version:
        return "Rate Exceeded."
    value = _value(ended.answer)
    said = value.get("errorMessage") if isinstance(value, dict) else None
    text = str(said) if said else ended.answer.decode("utf-8", "replace")
    return text.encode()[:_MESSAGE_BYTES].decode("utf-8", "ignore") or "Unknown error"


def _value(payload: bytes) -> Any:  # noqa: ANN401  any JSON
    """A function's answer; a text where it is no JSON, as an image may answer."""
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return payload.decode("utf-8", "replace")
