"""DeleteMessage and ChangeMessageVisibility, one by one and in batches: what is done by a receipt handle
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html)."""

from __future__ import annotations

import time

from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.sqs.batches import each_of
from clary.services.sqs.errors import invalid_value, not_in_flight
from clary.services.sqs.queue import Queue, require
from clary.services.sqs.receipts import place_of
from clary.services.sqs.reception import check_hidden
from clary.services.sqs.service import SERVICE


@SERVICE.operation("DeleteMessage")
def delete(context: Context, params: Params) -> Output:
    """What is gone already is nothing. Raises QueueDoesNotExist, ReceiptHandleIsInvalid."""
    _delete(context, require(context, params), params)
    return {}


@SERVICE.operation("DeleteMessageBatch")
def delete_batch(context: Context, params: Params) -> Output:
    """Raises QueueDoesNotExist, and what batches raise."""
    queue = require(context, params)
    return each_of(params["Entries"], lambda entry: _delete(context, queue, entry))


@SERVICE.operation("ChangeMessageVisibility")
def change_visibility(context: Context, params: Params) -> Output:
    """Raises QueueDoesNotExist, ReceiptHandleIsInvalid, MessageNotInflight, InvalidParameterValue."""
    _hide(context, require(context, params), params)
    return {}


@SERVICE.operation("ChangeMessageVisibilityBatch")
def change_visibility_batch(context: Context, params: Params) -> Output:
    """Raises QueueDoesNotExist, and what batches raise."""
    queue = require(context, params)
    return each_of(params["Entries"], lambda entry: _hide(context, queue, entry))


def _delete(context: Context, queue: Queue, given: Params) -> None:
    place = place_of(queue, given["ReceiptHandle"])
    if queue.fifo and context.messages.in_flight(place, _now()) is False:
        raise invalid_value(given["ReceiptHandle"], "ReceiptHandle", "The receipt handle has expired.")
    context.messages.delete(place)


def _hide(context: Context, queue: Queue, given: Params) -> None:
    place, seconds = place_of(queue, given["ReceiptHandle"]), given.get("VisibilityTimeout") or 0
    check_hidden(seconds)
    if not context.messages.hide(place, _now(), seconds * 1000):
        raise not_in_flight(given["ReceiptHandle"])


def _now() -> int:
    return int(time.time() * 1000)
