"""CreateQueue, GetQueueUrl, ListQueues, DeleteQueue, PurgeQueue
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from clary.names import random_hex
from clary.services.context import Context
from clary.services.guarding import POLICY
from clary.services.resources import Output, Params, now, present
from clary.services.sqs.attributes import checked
from clary.services.sqs.errors import exists, invalid, invalid_value, no_queue
from clary.services.sqs.names import FIFO, KIND, arn, url
from clary.services.sqs.publication import publish
from clary.services.sqs.queue import Queue, require, require_own
from clary.services.sqs.service import SERVICE
from clary.store.rows import Key, Query, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_MOST = 1000


@SERVICE.operation("CreateQueue")
def create(context: Context, params: Params) -> Output:
    """Another one with the same name and attributes is the same. Raises QueueNameExists, InvalidParameterValue."""
    name, given = params["QueueName"], params.get("Attributes") or {}
    _check_name(name, given)
    attributes = checked(given, name, context.store.read)
    key, made = Key(KIND, context.account, context.region, name), now()
    kept = {attribute: value for attribute, value in attributes.items() if value}
    state = {"id": random_hex()}
    row = Row(key, arn(key.region, key.account, name), "", made, made, {"Attributes": kept}, state)

    def change(transaction: Transaction) -> None:
        there = transaction.get(key)
        if there is not None:
            _check_same(Queue(there), attributes)
            return
        transaction.insert(row)
        transaction.set_tags(row.arn, params.get("tags") or {})

    context.store.write(change)
    if POLICY in kept:
        publish(context.store.read, context.settings)
    return {"QueueUrl": url(context.settings, key.account, name)}


def _check_name(name: str, given: Mapping[str, str]) -> None:
    fifo = given.get("FifoQueue") == "true"
    plain = name.removesuffix(FIFO) if fifo else name
    if fifo and not (name.endswith(FIFO) and _NAME.fullmatch(plain) and len(name) <= 80):
        raise invalid(
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with "
            ".fifo suffix and be 1 to 80 in length."
        )
    if not fifo and not _NAME.fullmatch(plain):
        raise invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")


def _check_same(queue: Queue, given: Mapping[str, str]) -> None:
    there = queue.attributes
    for name, value in given.items():
        if _meant(there.get(name, "")) != _meant(value):
            raise exists(name)


def _meant(value: str) -> object:
    """Documents are the same whatever their blanks."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


@SERVICE.operation("GetQueueUrl")
def get_url(context: Context, params: Params) -> Output:
    """Raises QueueDoesNotExist."""
    owner = params.get("QueueOwnerAWSAccountId") or context.account
    row = context.store.read.get(Key(KIND, owner, context.region, params["QueueName"]))
    if row is None:
        raise no_queue()
    return {"QueueUrl": url(context.settings, owner, row.key.name)}


@SERVICE.operation("ListQueues")
def list_(context: Context, params: Params) -> Output:
    """By prefix, ordered by name; a token only where MaxResults was given."""
    most = params.get("MaxResults")
    if most is not None and not 1 <= most <= _MOST:
        raise invalid_value(most, "MaxResults", "MaxResults must be an integer between 1 and 1000.")
    query = Query(
        kind=KIND,
        account=context.account,
        region=context.region,
        sort_by="name",
        descending=False,
        limit=most or _MOST,
        token=params.get("NextToken"),
        name_prefix=params.get("QueueNamePrefix"),
    )
    try:
        page = context.store.read.page(query)
    except ValueError:
        raise invalid("Invalid or expired next token.") from None
    urls = [url(context.settings, row.key.account, row.key.name) for row in page.rows]
    return present({"QueueUrls": urls or None, "NextToken": page.token if most else None})


@SERVICE.operation("DeleteQueue")
def delete(context: Context, params: Params) -> Output:
    """With all its messages. Raises QueueDoesNotExist."""
    queue = require_own(context, params)
    context.store.write(lambda transaction: transaction.delete(queue.row.key))
    if POLICY in queue.attributes:
        publish(context.store.read, context.settings)
    context.messages.purge(queue.id)
    return {}


@SERVICE.operation("PurgeQueue")
def purge(context: Context, params: Params) -> Output:
    """At once, where AWS takes up to a minute. Raises QueueDoesNotExist."""
    context.messages.purge(require(context, params).id)
    return {}


@SERVICE.operation("ListDeadLetterSourceQueues")
def sources(context: Context, params: Params) -> Output:
    """Queues whose messages go to this one. Raises QueueDoesNotExist."""
    target = require(context, params)
    rows = (row for row in context.store.read.rows(KIND) if row.key.region == context.region)
    found = [row for row in rows if _target(row) == target.row.arn and row.key.account == context.account]
    return {"queueUrls": [url(context.settings, row.key.account, row.key.name) for row in found]}


def _target(row: Row) -> str:
    policy = json.loads(row.spec["Attributes"].get("RedrivePolicy") or "{}")
    return str(policy.get("deadLetterTargetArn", ""))
