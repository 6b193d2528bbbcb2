"""Requests of several entries: each is carried out or refused for itself
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from clary.errors import AWSError
from clary.services.resources import Output, Params
from clary.wire.query_codes import query_code

MOST = 10
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


def check(entries: Sequence[Params]) -> None:
    """Raises EmptyBatchRequest, TooManyEntriesInBatchRequest, InvalidBatchEntryId, BatchEntryIdsNotDistinct."""
    if not entries:
        raise AWSError("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > MOST:
        text = f"Maximum number of entries per request are {MOST}. You have sent {len(entries)}."
        raise AWSError("TooManyEntriesInBatchRequest", text)
    ids = [entry["Id"] for entry in entries]
    if not all(_ID.fullmatch(each) for each in ids):
        text = (
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 "
            "letters long."
        )
        raise AWSError("InvalidBatchEntryId", text)
    twice = next((each for each in ids if ids.count(each) > 1), None)
    if twice is not None:
        raise AWSError("BatchEntryIdsNotDistinct", f"Id {twice} repeated.")


def each_of(entries: Sequence[Params], carry_out: Callable[[Params], object]) -> Output:
    """`Successful` and `Failed`, for operations whose entries have no answer but that."""
    check(entries)
    output: Output = {"Successful": [], "Failed": []}
    for entry in entries:
        try:
            carry_out(entry)
        except AWSError as error:
            output["Failed"].append(failure(entry, error))
        else:
            output["Successful"].append({"Id": entry["Id"]})
    return output


def failure(entry: Params, error: AWSError) -> Output:
    """An entry of `Failed`."""
    code = query_code("sqs", error.code)
    return {"Id": entry["Id"], "SenderFault": error.status < 500, "Code": code, "Message": error.message}
