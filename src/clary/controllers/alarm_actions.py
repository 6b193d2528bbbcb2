"""What alarms do when they change their state: whoever carries out the actions of one kind of ARN has an entry here."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from clary.alarms.event import event
from clary.alarms.notification import notification, subject
from clary.calls import Call, account_root, service_principal
from clary.controllers.logs import Invoke
from clary.errors import AccessDenied, AWSError
from clary.names import Arn
from clary.store.rows import Row

LAMBDA_PRINCIPAL = "lambda.alarms.cloudwatch.amazonaws.com"
"""Whom a function's policy lets in, that alarms may invoke it."""

REPEATED = "repeated"
"""In a change that is told again: when (epoch seconds)."""

_NOT_LET_IN = (
    "CloudWatch Alarms is not authorized to perform: lambda:InvokeFunction on the resource because no resource-based "
    "policy allows the lambda:InvokeFunction action"
)


@dataclass(frozen=True)
class Action:
    """One ARN to be called for one change of an alarm's state."""

    arn: str
    alarm: Row
    change: Mapping[str, Any]
    """`state` and `previous`: value, reason, data (JSON or empty), timestamp (epoch seconds)."""


class Executor(Protocol):
    """Carries out the actions of one AWS service. May be asked twice for one change, where control died meanwhile."""

    @property
    def repeats(self) -> bool:
        """Whether it is called again each minute that the alarm stays in its state, as scaling policies are."""
        ...

    def __call__(self, action: Action) -> None:
        """Raises AWSError, whose message goes into the alarm's history."""
        ...


@dataclass(frozen=True)
class InvokeFunction:
    """Invokes a function with the alarm as its event; that it was taken in is what counts."""

    invoke: Invoke
    repeats: bool = False

    def __call__(self, action: Action) -> None:
        """Raises AWSError. The invocation is called the same each time that it is tried."""
        payload = json.dumps(event(action.alarm, action.change), separators=(",", ":")).encode()
        params = {"FunctionName": action.arn, "InvocationType": "Event", "Payload": payload}
        key, source = action.alarm.key, action.alarm.arn
        principal = service_principal(key.account, LAMBDA_PRINCIPAL)
        request = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{source} {action.arn} {action.change['state']['timestamp']}"))
        try:
            self.invoke(Call(principal, "lambda", "Invoke", params, key.region, request, parent=source))
        except AccessDenied:
            raise AccessDenied(_NOT_LET_IN) from None


@dataclass(frozen=True)
class PublishToTopic:
    """Tells a topic; that it has reached its subscribers is what counts."""

    invoke: Invoke
    repeats: bool = False

    def __call__(self, action: Action) -> None:
        """Raises AWSError."""
        key = action.alarm.key
        params = {
            "TopicArn": action.arn,
            "Subject": subject(action.alarm, action.change),
            "Message": json.dumps(notification(action.alarm, action.change)),
        }
        principal = account_root(key.account)
        self.invoke(Call(principal, "sns", "Publish", params, Arn.parse(action.arn).region, parent=action.alarm.arn))


def executors(invoke: Invoke) -> Mapping[str, Executor]:
    """By the service of the action's ARN. Scaling policies are added where all controllers are put together."""
    return {"lambda": InvokeFunction(invoke), "sns": PublishToTopic(invoke)}


def not_carried_out(arn: str) -> AWSError:
    """An action of a service that nobody here carries out."""
    return AWSError("NotImplemented", f"Clary does not carry out actions of {Arn.parse(arn).service}.", status=501)
