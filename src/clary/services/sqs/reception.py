"""What ReceiveMessage does at control, again and again until there is something: it never waits."""

from __future__ import annotations

import base64
import time
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from clary.queues.model import Place, Received, Terms
from clary.services.resources import Output, Params, present
from clary.services.sqs.checksums import of_attributes, of_body
from clary.services.sqs.errors import invalid_value
from clary.services.sqs.queue import Queue, Rows, find
from clary.services.sqs.receipts import handle
from clary.services.sqs.sending import sequence

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.queues.messages import MessageStore

LONGEST_HIDDEN = 43_200
_MOST = 10
_ALL = "All"


def receive(rows: Rows, messages: MessageStore, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`output`, as ReceiveMessage answers; where it is empty, `queue` by its id, `heard` (the number of the last
    arrival before), `due` (milliseconds until a message can be received that cannot yet, or None) and `wait`, the
    queue's own ReceiveMessageWaitTimeSeconds. `asked`: `account`, `region`, `params`.

    Raises QueueDoesNotExist, InvalidParameterValue.
    """
    params: Params = asked["params"]
    queue = find(rows, asked["account"], asked["region"], params)
    terms = _terms(rows, queue, params)
    heard = messages.arrivals.newest
    reception = messages.receive(queue.id, terms)
    shown = [_shown(queue, each, params) for each in reception.messages]
    return {
        "output": {"Messages": shown} if shown else {},
        "queue": queue.id,
        "heard": heard,
        "due": None if reception.due is None else reception.due - terms.now,
        "wait": queue.number("ReceiveMessageWaitTimeSeconds"),
    }


def check_hidden(seconds: int) -> None:
    """Raises InvalidParameterValue."""
    if not 0 <= seconds <= LONGEST_HIDDEN:
        reason = f"Must be between 0 and {LONGEST_HIDDEN}, if provided."
        raise invalid_value(seconds, "VisibilityTimeout", reason)


def _terms(rows: Rows, queue: Queue, params: Params) -> Terms:
    most, hidden = params.get("MaxNumberOfMessages"), params.get("VisibilityTimeout")
    if most is not None and not 1 <= most <= _MOST:
        raise invalid_value(most, "MaxNumberOfMessages", f"Must be between 1 and {_MOST}, if provided.")
    if hidden is not None:
        check_hidden(hidden)
    return Terms(
        now=int(time.time() * 1000),
        most=most or 1,
        hidden=(queue.number("VisibilityTimeout") if hidden is None else hidden) * 1000,
        retention=queue.retention,
        ordered=queue.fifo,
        redrive=queue.redrive(rows),
    )


def _shown(queue: Queue, message: Received, params: Params) -> Output:
    asked = {*(params.get("AttributeNames") or ()), *(params.get("MessageSystemAttributeNames") or ())}
    attributes = _wanted(message.attributes, params.get("MessageAttributeNames") or ())
    return present(
        {
            "MessageId": message.id,
            "ReceiptHandle": handle(Place(queue.id, message.number, message.receipt)),
            "MD5OfBody": of_body(message.body),
            "Body": message.body,
            "Attributes": _system(queue, message, asked) or None,
            "MD5OfMessageAttributes": of_attributes(attributes),
            "MessageAttributes": {name: _value(said) for name, said in attributes.items()} or None,
        }
    )


def _system(queue: Queue, message: Received, asked: Collection[str]) -> dict[str, str]:
    there = {
        **message.system,
        "SentTimestamp": str(message.sent),
        "ApproximateReceiveCount": str(message.received),
        "ApproximateFirstReceiveTimestamp": str(message.first),
        **({"SequenceNumber": sequence(message.number)} if queue.fifo else {}),
    }
    return there if _ALL in asked else {name: value for name, value in there.items() if name in asked}


def _wanted(attributes: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """By name, by `prefix.*`, all by `All` or `.*`."""
    if _ALL in names or ".*" in names:
        return dict(attributes)
    prefixes = tuple(name.removesuffix("*") for name in names if name.endswith(".*"))
    return {
        name: said for name, said in attributes.items() if name in names or (prefixes and name.startswith(prefixes))
    }


def _value(said: Mapping[str, str]) -> Output:
    if "BinaryValue" not in said:
        return dict(said)
    return {**said, "BinaryValue": base64.b64decode(said["BinaryValue"])}
