"""Tags of queues (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_TagQueue.html)."""

from __future__ import annotations

from clary.services.context import Context
from clary.services.resources import Output, Params, present
from clary.services.sqs.queue import require_own
from clary.services.sqs.service import SERVICE
from clary.services.tags import joined_tags


@SERVICE.operation("TagQueue")
def add(context: Context, params: Params) -> Output:
    """Raises QueueDoesNotExist."""
    arn, tags = require_own(context, params).row.arn, params["Tags"]
    joined_tags(context.store.read.tags(arn), tags)
    context.store.write(lambda transaction: transaction.set_tags(arn, tags))
    return {}


@SERVICE.operation("UntagQueue")
def remove(context: Context, params: Params) -> Output:
    """Raises QueueDoesNotExist."""
    arn = require_own(context, params).row.arn
    context.store.write(lambda transaction: transaction.remove_tags(arn, params["TagKeys"]))
    return {}


@SERVICE.operation("ListQueueTags")
def list_(context: Context, params: Params) -> Output:
    """Raises QueueDoesNotExist."""
    return present({"Tags": context.store.read.tags(require_own(context, params).row.arn) or None})
