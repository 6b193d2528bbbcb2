"""Refusals of EC2: what was not allowed, and why, sealed into the error, for those who may decode it
(https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clary.calls import Access, Call
from clary.errors import AWSError
from clary.identity.policy import Decision
from clary.identity.sealed_text import TextSealer

SERVICES = frozenset({"ec2"})
"""Whose refusals are encoded."""

_PURPOSE = "authorization message"


def _items(values: Sequence[Any]) -> dict[str, list[Any]]:
    return {"items": list(values)}


def _condition(name: str, value: str | Sequence[str]) -> dict[str, Any]:
    values = [value] if isinstance(value, str) else value
    return {"key": name, "values": _items([{"value": each} for each in values])}


def _matched(decision: Decision) -> list[dict[str, str]]:
    statement = decision.statement
    return [{"statementId": statement.sid, "effect": "DENY"}] if statement is not None and not statement.allow else []


def _message(call: Call, access: Access, decision: Decision) -> Mapping[str, Any]:
    who = call.principal
    return {
        "allowed": False,
        "explicitDeny": decision.effect == "explicitDeny",
        "matchedStatements": _items(_matched(decision)),
        "failures": _items([]),
        "context": {
            "principal": {"id": who.user_id, "name": who.arn.rpartition("/")[2], "arn": who.arn},
            "action": access.action,
            "resource": access.resource,
            "conditions": _items([_condition(name, value) for name, value in access.context.items()]),
        },
    }


class EncodedDenials:
    """Encodes and decodes, under the key that only this Clary has."""

    def __init__(self, sealer: TextSealer) -> None:
        self._sealer = sealer

    @classmethod
    def of(cls, data_dir: Path) -> EncodedDenials:
        """Of a data folder. Raises ClaryError."""
        return cls(TextSealer.of(data_dir))

    def refusal(self, call: Call, access: Access, decision: Decision, reason: str) -> AWSError:
        """UnauthorizedOperation, with the reason in words and the message that only a few can read."""
        text = json.dumps(_message(call, access, decision), separators=(",", ":"))
        encoded = self._sealer.seal(text, _PURPOSE).replace("+", "-").replace("/", "_")
        return AWSError(
            "UnauthorizedOperation",
            f"You are not authorized to perform this operation. {reason} "
            f"Encoded authorization failure message: {encoded}",
            status=403,
        )

    def decoded(self, encoded: str) -> str:
        """The message, as JSON. Raises BadToken."""
        return self._sealer.open(encoded.replace("-", "+").replace("_", "/"), _PURPOSE)
