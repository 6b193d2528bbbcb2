"""What is published, and the form in which each kind of subscriber gets it: pure
(https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html). Signatures would be AWS's; there are none."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from clary.services.resources import Params
from clary.services.sns.errors import invalid, invalid_attribute

LONGEST = 262_144
"""Bytes of a message with its attributes."""

_LONGEST_SUBJECT = 100
_TYPES = ("String", "Number", "Binary")
_DEFAULT = "default"


@dataclass(frozen=True)
class Notification:
    """One message of a topic."""

    topic: str
    texts: Mapping[str, str]
    """By protocol; `default` for all others."""
    subject: str | None
    attributes: Mapping[str, Params]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def text(self, protocol: str) -> str:
        """For subscribers of one protocol."""
        return self.texts.get(protocol) or self.texts[_DEFAULT]


def notification(topic: str, given: Params) -> Notification:
    """Of a Publish, or of an entry of a batch. Raises InvalidParameter, ParameterValueInvalid."""
    message, subject = given.get("Message") or "", given.get("Subject")
    attributes = given.get("MessageAttributes") or {}
    if not message:
        raise invalid("Empty message")
    if size(given) > LONGEST:
        raise invalid("Message too long")
    if subject is not None and not (0 < len(subject) <= _LONGEST_SUBJECT and subject.isprintable()):
        raise invalid("Subject")
    for name, said in attributes.items():
        _check_attribute(name, said)
    return Notification(topic, _texts(given.get("MessageStructure"), message), subject, attributes)


def size(given: Params) -> int:
    """The bytes of a message and its attributes."""
    total = len((given.get("Message") or "").encode())
    for name, said in (given.get("MessageAttributes") or {}).items():
        value = said.get("BinaryValue") or (said.get("StringValue") or "").encode()
        total += len(name.encode()) + len((said.get("DataType") or "").encode()) + len(value)
    return total


def _texts(structure: str | None, message: str) -> dict[str, str]:
    if structure != "json":
        return {_DEFAULT: message}
    try:
        said = json.loads(message)
    except (ValueError, RecursionError):
        raise invalid("Message Structure - JSON message body failed to parse") from None
    texts = {name: text for name, text in said.items() if isinstance(text, str)} if isinstance(said, dict) else {}
    if _DEFAULT not in texts:
        raise invalid("Message Structure - No default entry in JSON message body")
    return texts


def _check_attribute(name: str, said: Params) -> None:
    kind = said.get("DataType") or ""
    basic = kind.partition(".")[0]
    if basic not in _TYPES:
        raise invalid_attribute(
            f"The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes "
            "is Binary, Number, and String."
        )
    if not said.get("BinaryValue" if basic == "Binary" else "StringValue"):
        raise invalid_attribute(
            f"The message attribute '{name}' must contain non-empty message attribute value for message attribute type "
            f"'{kind}'."
        )


def for_queue(said: Notification, subscription: str, server: str) -> str:
    """The body of the message, but where delivery is raw."""
    members: dict[str, Any] = {"Type": "Notification", "MessageId": said.id, "TopicArn": said.topic}
    if said.subject is not None:
        members["Subject"] = said.subject
    members |= {"Message": said.text("sqs"), "Timestamp": _moment(said), "UnsubscribeURL": _leave(subscription, server)}
    if said.attributes:
        members["MessageAttributes"] = _shown(said.attributes)
    return json.dumps(members)


def for_function(said: Notification, subscription: str, server: str) -> bytes:
    """The event (https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html)."""
    told = {
        "Type": "Notification",
        "MessageId": said.id,
        "TopicArn": said.topic,
        "Subject": said.subject,
        "Message": said.text("lambda"),
        "Timestamp": _moment(said),
        "UnsubscribeUrl": _leave(subscription, server),
        "MessageAttributes": _shown(said.attributes),
    }
    record = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription, "Sns": told}
    return json.dumps({"Records": [record]}).encode()


def _moment(said: Notification) -> str:
    return said.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _leave(subscription: str, server: str) -> str:
    return f"{server}/?Action=Unsubscribe&SubscriptionArn={quote(subscription, safe=':')}"


def _shown(attributes: Mapping[str, Params]) -> dict[str, dict[str, str]]:
    return {name: {"Type": said["DataType"], "Value": _value(said)} for name, said in attributes.items()}


def _value(said: Params) -> str:
    value = said.get("BinaryValue")
    return base64.b64encode(value).decode() if value is not None else str(said["StringValue"])
