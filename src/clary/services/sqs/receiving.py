"""ReceiveMessage: the edge waits for messages, so that control never does
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html)."""

from __future__ import annotations

import time

from clary.queues.waiting import RECEIVE
from clary.services.context import EdgeContext
from clary.services.resources import Output, Params
from clary.services.sqs.errors import invalid_value
from clary.services.sqs.service import SERVICE

LONGEST_WAIT = 20


@SERVICE.operation("ReceiveMessage", place="edge")
async def receive(context: EdgeContext, params: Params) -> Output:
    """Waits as long as WaitTimeSeconds, or the queue, says. Raises QueueDoesNotExist, InvalidParameterValue."""
    wait = params.get("WaitTimeSeconds")
    if wait is not None and not 0 <= wait <= LONGEST_WAIT:
        raise invalid_value(wait, "WaitTimeSeconds", f"Must be >= 0 and <= {LONGEST_WAIT}, if provided.")
    asked = {"account": context.call.principal.account, "region": context.call.region, "params": params}
    begun = time.monotonic()
    while True:
        said = await context.queues.ask(RECEIVE, asked)
        left = begun + (said["wait"] if wait is None else wait) - time.monotonic()
        if said["output"] or left <= 0:
            return dict(said["output"])
        due = said["due"]
        until = left if due is None else min(left, due / 1000)
        await context.queues.arrival(said["queue"], said["heard"], until)
