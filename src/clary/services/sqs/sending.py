"""SendMessage and SendMessageBatch: a message is on the disk before its sender is answered."""

from __future__ import annotations

import time
from collections.abc import Sequence

from clary.errors import AWSError
from clary.queues.model import Kept, Letter
from clary.services.context import Context
from clary.services.resources import Output, Params, present
from clary.services.sqs.batches import check, failure
from clary.services.sqs.checksums import of_attributes, of_body
from clary.services.sqs.letters import letter, size
from clary.services.sqs.queue import Queue, require
from clary.services.sqs.service import SERVICE

_BATCH_BYTES = 1_048_576
_SEQUENCE = 20
"""Digits of a sequence number."""


@SERVICE.operation("SendMessage")
def send(context: Context, params: Params) -> Output:
    """Raises QueueDoesNotExist, InvalidParameterValue, MissingParameter, InvalidMessageContents."""
    queue = require(context, params)
    made = letter(queue, params, _sender(context))
    (kept,) = _keep(context, queue, [made])
    return _answer(queue, made, kept)


@SERVICE.operation("SendMessageBatch")
def send_batch(context: Context, params: Params) -> Output:
    """Those that are good are sent together. Raises BatchRequestTooLong, and what `check` raises."""
    queue, entries = require(context, params), params["Entries"]
    check(entries)
    _check_size(entries)
    made: dict[str, Letter] = {}
    failed = []
    for entry in entries:
        try:
            made[entry["Id"]] = letter(queue, entry, _sender(context))
        except AWSError as error:
            failed.append(failure(entry, error))
    kept = _keep(context, queue, list(made.values())) if made else []
    sent = zip(made.items(), kept, strict=True)
    return {"Successful": [{"Id": id_, **_answer(queue, each, at)} for (id_, each), at in sent], "Failed": failed}


def _check_size(entries: Sequence[Params]) -> None:
    total = sum(size(entry) for entry in entries)
    if total > _BATCH_BYTES:
        text = f"Batch requests cannot be longer than {_BATCH_BYTES} bytes. You have sent {total} bytes."
        raise AWSError("BatchRequestTooLong", text)


def _sender(context: Context) -> str:
    return context.call.principal.user_id


def _keep(context: Context, queue: Queue, letters: Sequence[Letter]) -> list[Kept]:
    return context.messages.send(queue.id, letters, int(time.time() * 1000), queue.retention)


def _answer(queue: Queue, made: Letter, kept: Kept) -> Output:
    return present(
        {
            "MessageId": kept.id,
            "MD5OfMessageBody": of_body(made.body),
            "MD5OfMessageAttributes": of_attributes(made.attributes),
            "SequenceNumber": sequence(kept.number) if queue.fifo else None,
        }
    )


def sequence(number: int) -> str:
    """As messages of a FIFO queue are counted."""
    return str(number).zfill(_SEQUENCE)
