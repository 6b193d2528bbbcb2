"""The codes that errors had in the query protocol, of services that speak JSON now: clients know them by these.

botocore's models have shed them; AWS still sends them in a header, and SDKs show them
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-json-faqs.html).
"""

from __future__ import annotations

from collections.abc import Mapping

_SQS = "AWS.SimpleQueueService."

_CODES: Mapping[tuple[str, str], str] = {
    ("sqs", "QueueDoesNotExist"): f"{_SQS}NonExistentQueue",
    ("sqs", "QueueNameExists"): "QueueAlreadyExists",
    **{
        ("sqs", name): f"{_SQS}{name}"
        for name in (
            *("BatchEntryIdsNotDistinct", "BatchRequestTooLong", "EmptyBatchRequest", "InvalidBatchEntryId"),
            *("MessageNotInflight", "PurgeQueueInProgress", "QueueDeletedRecently", "TooManyEntriesInBatchRequest"),
            "UnsupportedOperation",
        )
    },
}


def query_code(service: str, code: str) -> str:
    """The code in the query protocol; the same where there was no other."""
    return _CODES.get((service, code), code)
