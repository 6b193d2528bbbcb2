"""Attributes of queues: which there are and what they may be
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clary.errors import AWSError
from clary.services.sqs.errors import invalid, invalid_attribute, unknown_attribute
from clary.services.sqs.names import FIFO, KIND
from clary.services.sqs.queue import Rows

_RANGES: Mapping[str, tuple[int, int]] = {
    "VisibilityTimeout": (0, 43_200),
    "MaximumMessageSize": (1024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "DelaySeconds": (0, 900),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "FifoQueue": ("true",),
    "ContentBasedDeduplication": ("true", "false"),
    "SqsManagedSseEnabled": ("true", "false"),
    "DeduplicationScope": ("queue", "messageGroup"),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
}
_DOCUMENTS = ("Policy", "RedrivePolicy", "RedriveAllowPolicy")
_KEPT = ("KmsMasterKeyId",)
_HIGH_THROUGHPUT = ("DeduplicationScope", "FifoThroughputLimit")
_OF_FIFO = ("FifoQueue", "ContentBasedDeduplication", *_HIGH_THROUGHPUT)
_MOST_RECEIVES = 1000

SETTABLE = frozenset({*_RANGES, *_CHOICES, *_DOCUMENTS, *_KEPT})


def checked(given: Mapping[str, str], name: str, rows: Rows) -> dict[str, str]:
    """The attributes of a request for the queue `name`; empty documents are kept as such, and take one away.

    Raises InvalidAttributeName, InvalidAttributeValue, InvalidParameterValue.
    """
    for attribute, value in given.items():
        _check(attribute, value, fifo=name.endswith(FIFO))
    if given.get("RedrivePolicy"):
        _check_redrive(given["RedrivePolicy"], name, rows)
    return dict(given)


def _check(name: str, value: str, *, fifo: bool) -> None:
    if name not in SETTABLE:
        raise unknown_attribute(name)
    if name in _OF_FIFO and not fifo:
        if name in _HIGH_THROUGHPUT:
            text = f"You can specify the {name} only when FifoQueue is set to true."
            raise AWSError("InvalidAttributeName", text)
        raise unknown_attribute(name)
    if name in _RANGES and not _within(value, *_RANGES[name]):
        raise invalid_attribute(name)
    if name in _CHOICES and value not in _CHOICES[name]:
        raise invalid_attribute(name, "Modifying queue type is not supported." if name == "FifoQueue" else "")
    if name in _DOCUMENTS and value and not isinstance(_document(value), dict):
        raise invalid_attribute(name)


def _within(value: str, least: int, most: int) -> bool:
    return value.isascii() and value.isdigit() and least <= int(value) <= most


def _document(text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _check_redrive(text: str, name: str, rows: Rows) -> None:
    policy = _document(text)
    most, target = str(policy.get("maxReceiveCount", "")), str(policy.get("deadLetterTargetArn", ""))
    if not _within(most, 1, _MOST_RECEIVES):
        raise _no_redrive(text, "Invalid value for maxReceiveCount: " + (most or "null") + ", valid values are from 1")
    row = rows.by_arn(target)
    if row is None or row.key.kind != KIND:
        raise _no_redrive(text, "Dead letter target does not exist.")
    if target.endswith(FIFO) != name.endswith(FIFO):
        raise _no_redrive(text, "Dead-letter queue must be same type of queue as the source.")


def _no_redrive(text: str, reason: str) -> AWSError:
    return invalid(f"Value {text} for parameter RedrivePolicy is invalid. Reason: {reason}")
