"""From a request, or an entry of one, to the message that is kept: pure
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html)."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from clary.errors import AWSError
from clary.queues.model import Letter
from clary.services.resources import Params
from clary.services.sqs.errors import invalid, invalid_value, missing
from clary.services.sqs.queue import Queue

LONGEST_DELAY = 900
_MOST_ATTRIBUTES = 10
_TYPES = ("String", "Number", "Binary")
_TOKEN = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_UNWRITABLE = re.compile("[^\u0009\u000a\u000d\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_HERE = "The request include parameter that is not valid for this queue type."


def letter(queue: Queue, given: Params, sender: str) -> Letter:
    """Raises MissingParameter, InvalidParameterValue, InvalidMessageContents."""
    body = given.get("MessageBody") or ""
    if not body:
        raise missing("MessageBody")
    if _UNWRITABLE.search(body):
        raise AWSError(
            "InvalidMessageContents",
            "Invalid characters found. Valid unicode characters are #x9 | #xA | "
            "#xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
        )
    attributes = _attributes(given.get("MessageAttributes") or {})
    most = queue.number("MaximumMessageSize")
    if size(given) > most:
        raise invalid(f"One or more parameters are invalid. Reason: Message must be shorter than {most} bytes.")
    group, said = _group(queue, given), _said(queue, given, body)
    return Letter(
        id=str(uuid.uuid4()),
        body=body,
        attributes=attributes,
        system=_system(given, sender, group, said),
        delay=_delay(queue, given) * 1000,
        family=group if queue.fifo else "",
        said=_scoped(queue, group, said),
    )


def size(given: Params) -> int:
    """The bytes of a body and its attributes."""
    total = len((given.get("MessageBody") or "").encode())
    for name, said in (given.get("MessageAttributes") or {}).items():
        value = said.get("BinaryValue") or (said.get("StringValue") or "").encode()
        total += len(name.encode()) + len((said.get("DataType") or "").encode()) + len(value)
    return total


def _attributes(given: Mapping[str, Params]) -> dict[str, Any]:
    if len(given) > _MOST_ATTRIBUTES:
        raise invalid(f"Number of message attributes [{len(given)}] exceeds the allowed maximum [{_MOST_ATTRIBUTES}].")
    return {name: _attribute(name, said) for name, said in given.items()}


def _attribute(name: str, said: Params) -> dict[str, str]:
    kind = said.get("DataType") or ""
    basic = kind.partition(".")[0]
    if not kind:
        raise invalid(f"The message attribute '{name}' must contain non-empty message attribute type.")
    if basic not in _TYPES:
        raise invalid(
            f"The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes "
            "is Binary, Number, and String."
        )
    member = "BinaryValue" if basic == "Binary" else "StringValue"
    value = said.get(member)
    if not value:
        raise invalid(f"Message (user) attribute '{name}' must contain a non-empty value of type '{basic}'.")
    return {"DataType": kind, member: base64.b64encode(value).decode() if basic == "Binary" else value}


def _group(queue: Queue, given: Params) -> str:
    group = given.get("MessageGroupId")
    if group is None:
        if queue.fifo:
            raise missing("MessageGroupId")
        return ""
    _check_token("MessageGroupId", group)
    return str(group)


def _said(queue: Queue, given: Params, body: str) -> str:
    said = given.get("MessageDeduplicationId")
    if said is not None:
        _check_token("MessageDeduplicationId", said)
        if not queue.fifo:
            raise invalid_value(said, "MessageDeduplicationId", _NOT_HERE)
        return str(said)
    if not queue.fifo:
        return ""
    if queue.attributes["ContentBasedDeduplication"] != "true":
        raise invalid(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
            "explicitly"
        )
    return hashlib.sha256(body.encode()).hexdigest()


def _check_token(name: str, value: str) -> None:
    if not _TOKEN.fullmatch(value):
        reason = f"{name} can only include alphanumeric and punctuation characters. 1 to 128 in length."
        raise invalid_value(value, name, reason)


def _delay(queue: Queue, given: Params) -> int:
    delay = given.get("DelaySeconds")
    if delay is None:
        return queue.number("DelaySeconds")
    if queue.fifo and delay:
        raise invalid_value(delay, "DelaySeconds", _NOT_HERE)
    if not 0 <= delay <= LONGEST_DELAY:
        raise invalid_value(delay, "DelaySeconds", f"DelaySeconds must be >= 0 and <= {LONGEST_DELAY}.")
    return queue.number("DelaySeconds") if queue.fifo else int(delay)


def _system(given: Params, sender: str, group: str, said: str) -> dict[str, str]:
    trace = (given.get("MessageSystemAttributes") or {}).get("AWSTraceHeader", {}).get("StringValue", "")
    told = {
        "SenderId": sender,
        "MessageGroupId": group,
        "MessageDeduplicationId": said,
        "AWSTraceHeader": trace,
    }
    return {name: value for name, value in told.items() if value}


def _scoped(queue: Queue, group: str, said: str) -> str:
    if not said:
        return ""
    within = group if queue.attributes["DeduplicationScope"] == "messageGroup" else ""
    return json.dumps([within, said])
