"""A queue as its row holds it, and how operations find it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from clary.queues.model import Redrive
from clary.services.context import Context
from clary.services.resources import Params
from clary.services.sqs.errors import no_queue
from clary.services.sqs.names import FIFO, KIND, account_of, name_of
from clary.store.rows import Key, Row

DEFAULTS: Mapping[str, str] = {
    "VisibilityTimeout": "30",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "DelaySeconds": "0",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
}
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html"""

FIFO_DEFAULTS: Mapping[str, str] = {
    "FifoQueue": "true",
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
}


class Rows(Protocol):
    """What reads them."""

    def get(self, key: Key) -> Row | None:
        """The row, or None."""
        ...

    def by_arn(self, arn: str) -> Row | None:
        """The row that bears `arn`, or None."""
        ...


@dataclass(frozen=True)
class Queue:
    """One queue."""

    row: Row

    @property
    def id(self) -> str:
        """Under which its messages are kept; another for each queue that ever was."""
        return str(self.row.state["id"])

    @property
    def fifo(self) -> bool:
        """Whether its messages keep their order."""
        return self.row.key.name.endswith(FIFO)

    @property
    def attributes(self) -> dict[str, str]:
        """All that were set, and the defaults of the others."""
        return {**DEFAULTS, **(FIFO_DEFAULTS if self.fifo else {}), **self.row.spec["Attributes"]}

    def number(self, name: str) -> int:
        """An attribute that is a number."""
        return int(self.attributes[name])

    @property
    def retention(self) -> int:
        """Milliseconds for which a message is kept."""
        return self.number("MessageRetentionPeriod") * 1000

    def redrive(self, rows: Rows) -> Redrive | None:
        """Where messages go that were received too often; None where they stay, or the other queue is gone."""
        text = self.attributes.get("RedrivePolicy")
        if not text:
            return None
        policy: dict[str, Any] = json.loads(text)
        row = rows.by_arn(policy["deadLetterTargetArn"])
        if row is None or row.key.kind != KIND:
            return None
        return Redrive(int(policy["maxReceiveCount"]), Queue(row).id, self.row.arn, self.fifo)


def own_key(context: Context, params: Params) -> Key:
    """The key of the queue that `QueueUrl` names. Raises QueueDoesNotExist for another account's."""
    address = params["QueueUrl"]
    if account_of(address) not in ("", context.account):
        raise no_queue()
    return Key(KIND, context.account, context.region, name_of(address))


def find(rows: Rows, account: str, region: str, params: Params) -> Queue:
    """The queue that `QueueUrl` names: of `account`, where the URL names none. Raises QueueDoesNotExist."""
    address = params["QueueUrl"]
    return _queue(rows.get(Key(KIND, account_of(address) or account, region, name_of(address))))


def _queue(row: Row | None) -> Queue:
    if row is None:
        raise no_queue()
    return Queue(row)


def require(context: Context, params: Params) -> Queue:
    """The queue that `QueueUrl` names, whichever account's. Raises QueueDoesNotExist."""
    return find(context.store.read, context.account, context.region, params)


def require_own(context: Context, params: Params) -> Queue:
    """The same of the caller's account. Raises QueueDoesNotExist."""
    return _queue(context.store.read.get(own_key(context, params)))
