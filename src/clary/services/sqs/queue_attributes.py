"""GetQueueAttributes and SetQueueAttributes, AddPermission and RemovePermission
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.services.context import Context
from clary.services.resources import Output, Params, now, present
from clary.services.sqs.attributes import SETTABLE, checked
from clary.services.sqs.errors import invalid_value, no_queue, unknown_attribute
from clary.services.sqs.publication import publish
from clary.services.sqs.queue import Queue, own_key, require, require_own
from clary.services.sqs.service import SERVICE

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_COUNTED = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_SHOWN = ("QueueArn", "CreatedTimestamp", "LastModifiedTimestamp")
_ALL = "All"

Change = Callable[[dict[str, str]], dict[str, str]]


@SERVICE.operation("GetQueueAttributes")
def get(context: Context, params: Params) -> Output:
    """Those that are asked for. Raises QueueDoesNotExist, InvalidAttributeName."""
    queue, names = require(context, params), params.get("AttributeNames") or []
    for name in names:
        if name not in (_ALL, *_COUNTED, *_SHOWN) and name not in SETTABLE:
            raise unknown_attribute(name)
    there = {**_counted(context, queue), **_shown(queue), **queue.attributes}
    wanted = there if _ALL in names else {name: value for name, value in there.items() if name in names}
    return present({"Attributes": wanted or None})


def _counted(context: Context, queue: Queue) -> dict[str, str]:
    counts = context.messages.counts(queue.id, int(time.time() * 1000), queue.retention)
    numbers = (counts.visible, counts.hidden, counts.delayed)
    return {name: str(number) for name, number in zip(_COUNTED, numbers, strict=True)}


def _shown(queue: Queue) -> dict[str, str]:
    row = queue.row
    times = str(int(row.created.timestamp())), str(int(row.modified.timestamp()))
    return dict(zip(_SHOWN, (row.arn, *times), strict=True))


@SERVICE.operation("SetQueueAttributes")
def set_(context: Context, params: Params) -> Output:
    """An empty document takes one away. Raises QueueDoesNotExist, InvalidAttributeName, InvalidAttributeValue."""
    name = require_own(context, params).row.key.name
    given = checked(params["Attributes"], name, context.store.read)
    return _change(context, params, lambda there: {**there, **given})


def _change(context: Context, params: Params, change: Change) -> Output:
    key = own_key(context, params)

    def apply(transaction: Transaction) -> None:
        row = transaction.get(key)
        if row is None:
            raise no_queue()
        changed = {name: value for name, value in change(dict(row.spec["Attributes"])).items() if value}
        transaction.save(replace(row, spec={**row.spec, "Attributes": changed}, modified=now()))

    context.store.write(apply)
    publish(context.store.read, context.settings)
    return {}


@SERVICE.operation("AddPermission")
def add_permission(context: Context, params: Params) -> Output:
    """A statement of the queue's policy. Raises QueueDoesNotExist, InvalidParameterValue."""
    queue = require_own(context, params)

    def change(there: dict[str, str]) -> dict[str, str]:
        policy = _policy(there, queue)
        if any(each.get("Sid") == params["Label"] for each in policy["Statement"]):
            raise invalid_value(params["Label"], "Label", "Already exists.")
        policy["Statement"].append(_statement(params, queue))
        return {**there, "Policy": json.dumps(policy, separators=(",", ":"))}

    return _change(context, params, change)


@SERVICE.operation("RemovePermission")
def remove_permission(context: Context, params: Params) -> Output:
    """Raises QueueDoesNotExist, InvalidParameterValue."""
    queue = require_own(context, params)

    def change(there: dict[str, str]) -> dict[str, str]:
        policy = _policy(there, queue)
        kept = [each for each in policy["Statement"] if each.get("Sid") != params["Label"]]
        if len(kept) == len(policy["Statement"]):
            raise invalid_value(params["Label"], "Label", "can't find label.")
        return {**there, "Policy": json.dumps({**policy, "Statement": kept}) if kept else ""}

    return _change(context, params, change)


def _policy(attributes: dict[str, str], queue: Queue) -> dict[str, Any]:
    empty = {"Version": "2008-10-17", "Id": f"{queue.row.arn}/SQSDefaultPolicy", "Statement": []}
    policy: dict[str, Any] = json.loads(attributes.get("Policy") or json.dumps(empty))
    said = policy.get("Statement", [])
    statements = said if isinstance(said, list) else [said]
    return {**policy, "Statement": [each for each in statements if isinstance(each, dict)]}


def _statement(params: Params, queue: Queue) -> dict[str, Any]:
    principals = [f"arn:aws:iam::{account}:root" for account in params["AWSAccountIds"]]
    actions = [f"SQS:{action}" for action in params["Actions"]]
    return {
        "Sid": params["Label"],
        "Effect": "Allow",
        "Principal": {"AWS": principals[0] if len(principals) == 1 else principals},
        "Action": actions[0] if len(actions) == 1 else actions,
        "Resource": queue.row.arn,
    }
