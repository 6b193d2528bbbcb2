"""SQS: what is offered, and the right that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html)."""

from __future__ import annotations

from clary.calls import Access, Call
from clary.services.registry import Service
from clary.services.sqs.names import account_of, arn, name_of

_BATCH = "Batch"


_OWN = frozenset(
    {"AddPermission", "CreateQueue", "DeleteQueue", "ListQueues", "ListQueueTags", "RemovePermission"}
    | {"SetQueueAttributes", "TagQueue", "UntagQueue"}
)
"""What no policy of another account's queue lets do
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-basic-examples-of-sqs-policies.html)."""


def access(call: Call) -> list[Access]:
    """`sqs:<Operation>` on the queue that is named; an operation on several messages needs the right for one."""
    name = call.params.get("QueueName") or name_of(call.params.get("QueueUrl", "")) or "*"
    action = f"sqs:{call.operation.removesuffix(_BATCH)}"
    return [Access(action, arn(call.region, _owner(call) or call.principal.account, name))]


def _owner(call: Call) -> str:
    """The account that the call names; empty where it names none, or may only mean its own."""
    said: str = call.params.get("QueueOwnerAWSAccountId") or account_of(call.params.get("QueueUrl", ""))
    return "" if call.operation in _OWN else said


SERVICE = Service("sqs", access, "clary.services.sqs.operations")
