"""Export tasks: events of a group become objects in S3
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateExportTask.html)."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from clary.calls import Access
from clary.errors import AWSError, ValidationError
from clary.lifecycles.log_export import CANCELLED, COMPLETED, KIND, LIFECYCLE, PENDING, RUNNING, public_status
from clary.names import Arn
from clary.services.context import Context
from clary.services.logs.errors import invalid, invalid_token
from clary.services.logs.filters import limit_exceeded
from clary.services.logs.rows import milliseconds, require_group
from clary.services.logs.service import SERVICE
from clary.services.resources import Output, Params, now, page, present
from clary.store.rows import Key, Query, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

PAGE = 50

_PREFIX = "exportedlogs"


@SERVICE.operation("CreateExportTask")
def create(context: Context, params: Params) -> Output:
    """One at a time. The caller needs s3:PutObject there. Raises ResourceNotFoundException, InvalidParameterException,
    LimitExceededException, AccessDenied."""
    group = require_group(context, params).key.name
    if params["to"] < params["from"]:
        raise invalid("The specified time range is invalid: to is before from.")
    bucket = context.objects.get_bucket(params["destination"])
    if bucket is None or bucket.account != context.account:
        raise invalid("The given bucket does not exist. Please make sure the bucket is valid.")
    prefix = params.get("destinationPrefix") or _PREFIX
    context.authorise(Access("s3:PutObject", f"arn:aws:s3:::{params['destination']}/{prefix}/*"))
    key = Key(KIND, context.account, context.region, str(uuid.uuid4()))
    named = {name: params.get(name) for name in ("taskName", "logStreamNamePrefix", "destination")}
    spec = present({**named, "logGroupName": group, "destinationPrefix": prefix})
    stretch = {"start": params["from"], "end": params["to"]}
    made = now()
    arn = str(Arn("logs", context.region, context.account, f"export-task:{key.name}"))
    row = Row(key, arn, PENDING, made, made, {**spec, **stretch}, target=COMPLETED, parent=group)
    context.store.write(lambda transaction: _insert(transaction, row))
    context.wake(key)
    return {"taskId": key.name}


def _insert(transaction: Transaction, row: Row) -> None:
    for each in transaction.rows(KIND, (PENDING, RUNNING)):
        if (each.key.account, each.key.region) == (row.key.account, row.key.region):
            raise limit_exceeded()
    transaction.insert(row)


@SERVICE.operation("DescribeExportTasks")
def describe(context: Context, params: Params) -> Output:
    """Newest first. Raises InvalidParameterException."""
    task, status = params.get("taskId"), params.get("statusCode")
    if task is not None:
        found = context.store.read.get(Key(KIND, context.account, context.region, task))
        return {"exportTasks": [_shown(found)] if found else []}
    query = Query(
        kind=KIND,
        account=context.account,
        region=context.region,
        limit=params.get("limit", PAGE),
        token=params.get("nextToken"),
    )
    try:
        listed = page(context, query, lambda row: status in (None, public_status(row.status, row.target)))
    except ValidationError:
        raise invalid_token() from None
    return present({"exportTasks": [_shown(row) for row in listed.rows], "nextToken": listed.token})


def _shown(row: Row) -> Output:
    spec, ended = row.spec, row.state.get("ended")
    members = ("taskName", "logGroupName", "destination", "destinationPrefix")
    times = {"creationTime": milliseconds(row.created), "completionTime": int(ended * 1000) if ended else None}
    status = {"code": public_status(row.status, row.target), "message": row.state.get("reason")}
    return present(
        {
            "taskId": row.key.name,
            **{name: spec.get(name) for name in members},
            "from": spec["start"],
            "to": spec["end"],
            "status": present(status),
            "executionInfo": present(times),
        }
    )


@SERVICE.operation("CancelExportTask")
def cancel(context: Context, params: Params) -> Output:
    """Objects that are there already stay. Raises ResourceNotFoundException, InvalidOperationException."""
    key = Key(KIND, context.account, context.region, params["taskId"])

    def change(transaction: Transaction) -> None:
        row = transaction.get(key)
        if row is None:
            raise AWSError("ResourceNotFoundException", "The specified export task does not exist.")
        if LIFECYCLE.terminal(row.status):
            raise AWSError(
                "InvalidOperationException", "The specified export task has already finished and cannot be cancelled."
            )
        transaction.save(replace(row, target=CANCELLED))

    context.store.write(change)
    context.wake(key)
    return {}
