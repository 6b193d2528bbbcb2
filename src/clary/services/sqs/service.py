"""SQS: what is offered, and the right that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html)."""

from __future__ import annotations

from clary.calls import Access, Call
from clary.services.registry import Service
from clary.services.sqs.names import arn, name_of

_BATCH = "Batch"


def access(call: Call) -> list[Access]:
    """`sqs:<Operation>` on the queue that is named; an operation on several messages needs the right for one."""
    name = call.params.get("QueueName") or name_of(call.params.get("QueueUrl", "")) or "*"
    action = f"sqs:{call.operation.removesuffix(_BATCH)}"
    return [Access(action, arn(call.region, call.principal.account, name))]


SERVICE = Service("sqs", access)
