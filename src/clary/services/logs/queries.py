"""Logs Insights: queries (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html)."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from clary.errors import AWSError, ValidationError
from clary.lifecycles.log_query import CANCELLED, COMPLETE, KIND, LIFECYCLE, RUNNING, SCHEDULED
from clary.logsearch.insights.errors import BadQuery
from clary.logsearch.insights.parser import MOST_ROWS
from clary.logsearch.insights.run import Query as InsightsQuery
from clary.names import Arn
from clary.services.context import Context
from clary.services.logs.errors import invalid, invalid_token
from clary.services.logs.filters import limit_exceeded
from clary.services.logs.rows import group_key, milliseconds
from clary.services.logs.service import SERVICE, group_name, groups_of
from clary.services.resources import Output, Params, now, page, present
from clary.store.rows import Key, Query, Row
from clary.workload.logs.query import results

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

MOST_AT_ONCE = 100
"""Queries of an account and Region that are not at their end, as on AWS."""

MOST_GROUPS = 50
PAGE = 1000
_SECONDS = 100_000_000_000
"""Times below are in seconds, as the API says; clients send milliseconds as well."""

_NOTHING = dict.fromkeys(
    ("recordsMatched", "recordsScanned", "bytesScanned", "logGroupsScanned", "estimatedRecordsSkipped",
     "estimatedBytesSkipped"), 0.0)  # fmt: skip


@SERVICE.operation("StartQuery")
def start(context: Context, params: Params) -> Output:
    """Raises MalformedQueryException, InvalidParameterException, ResourceNotFoundException, LimitExceededException."""
    if params.get("queryLanguage", "CWLI") != "CWLI":
        raise invalid("Clary offers the query language CWLI only.")
    begin, end = _milliseconds(params["startTime"], 0), _milliseconds(params["endTime"], 999)
    if end < begin:
        raise invalid("The query's end time must not be before its start time.")
    limit = min(params.get("limit", MOST_ROWS), MOST_ROWS)
    _check(params["queryString"], limit)
    groups = _groups(context, params)
    made = now()
    key = Key(KIND, context.account, context.region, str(uuid.uuid4()))
    arn = str(Arn("logs", context.region, context.account, f"query:{key.name}"))
    spec = {"queryString": params["queryString"], "groups": groups, "start": begin, "end": end, "limit": limit}
    row = Row(key, arn, SCHEDULED, made, made, spec, {"by": context.call.principal.arn}, COMPLETE, parent=groups[0])
    context.store.write(lambda transaction: _insert(transaction, row))
    context.wake(key)
    return {"queryId": key.name}


def _insert(transaction: Transaction, row: Row) -> None:
    open_ = transaction.rows(KIND, (SCHEDULED, RUNNING))
    going_on = [each for each in open_ if _beside(each.key, row.key) and not LIFECYCLE.terminal(_status(each))]
    if len(going_on) >= MOST_AT_ONCE:
        raise AWSError(
            "LimitExceededException", f"Account maximum query concurrency limit of [{MOST_AT_ONCE}] reached."
        )
    transaction.insert(row)


def _beside(key: Key, other: Key) -> bool:
    return (key.account, key.region) == (other.account, other.region)


def _milliseconds(given: int, rest: int) -> int:
    return given * 1000 + rest if given < _SECONDS else given


def _check(text: str, limit: int) -> None:
    try:
        InsightsQuery(text, limit)
    except BadQuery as bad:
        where = {"startCharOffset": bad.start, "endCharOffset": bad.end}
        members = {"queryCompileError": {"location": where, "message": str(bad)}}
        raise AWSError("MalformedQueryException", str(bad), members=members) from None


def _groups(context: Context, params: Params) -> list[str]:
    names = groups_of(params)
    if not names:
        raise invalid("Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be specified.")
    if len(names) > MOST_GROUPS:
        raise limit_exceeded()
    for name in names:
        if context.store.read.get(group_key(context, name)) is None:
            raise AWSError(
                "ResourceNotFoundException", f"Log group '{name}' does not exist for account ID '{context.account}'"
            )
    return names


def _found(context: Context, params: Params) -> Row:
    row = context.store.read.get(Key(KIND, context.account, context.region, params["queryId"]))
    if row is None:
        raise AWSError("ResourceNotFoundException", "The specified query does not exist.")
    return row


@SERVICE.operation("GetQueryResults")
def get_results(context: Context, params: Params) -> Output:
    """None until the query is at its end. Raises ResourceNotFoundException, InvalidParameterException."""
    row = _found(context, params)
    rows = results(context.settings.logs_dir, row.key.name) if row.status == COMPLETE else []
    start = _offset(params.get("nextToken"))
    size = params.get("maxItems") or MOST_ROWS
    shown = rows[start : start + size]
    statistics = row.state.get("statistics") or {**_NOTHING, "logGroupsScanned": float(len(row.spec["groups"]))}
    return present(
        {
            "queryLanguage": "CWLI",
            "results": shown,
            "statistics": statistics,
            "status": _status(row),
            "nextToken": str(start + size) if start + size < len(rows) else None,
        }
    )


def _offset(token: str | None) -> int:
    if not token:
        return 0
    if not (token.isascii() and token.isdigit() and len(token) < 8):
        raise invalid_token()
    return int(token)


def _status(row: Row) -> str:
    return CANCELLED if row.target == CANCELLED and not LIFECYCLE.terminal(row.status) else row.status


@SERVICE.operation("StopQuery")
def stop(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterException for a query that is at its end."""
    key = _found(context, params).key

    def change(transaction: Transaction) -> None:
        row = transaction.get(key)
        if row is None or LIFECYCLE.terminal(_status(row)):
            raise invalid("Query is already ended with terminal state")
        transaction.save(replace(row, target=CANCELLED))

    context.store.write(change)
    context.wake(key)
    return {"success": True}


@SERVICE.operation("ListLogGroupsForQuery")
def list_groups(context: Context, params: Params) -> Output:
    """By name: all of them, since a query has no more than a page has. Raises ResourceNotFoundException."""
    return {"logGroupIdentifiers": _found(context, params).spec["groups"]}


@SERVICE.operation("DescribeQueries")
def describe(context: Context, params: Params) -> Output:
    """Of the last seven days, newest first. Raises InvalidParameterException."""
    status, group = params.get("status"), group_name(params)
    query = Query(
        kind=KIND,
        account=context.account,
        region=context.region,
        limit=params.get("maxResults", PAGE),
        token=params.get("nextToken"),
    )

    def wanted(row: Row) -> bool:
        return status in (None, _status(row)) and (not group or group in row.spec["groups"])

    if params.get("queryLanguage", "CWLI") != "CWLI":
        return {"queries": []}
    try:
        found = page(context, query, wanted)
    except ValidationError:
        raise invalid_token() from None
    return present({"queries": [_shown(row) for row in found.rows], "nextToken": found.token})


def _shown(row: Row) -> Output:
    spec, state = row.spec, row.state
    sources = " ".join(f'"{group}"' for group in spec["groups"])
    text = f"SOURCE {sources} START={spec['start']} END={spec['end']} | {spec['queryString']}"
    ended = state.get("ended")
    return present(
        {
            "queryLanguage": "CWLI",
            "queryId": row.key.name,
            "queryString": text[:10_000],
            "status": _status(row),
            "createTime": milliseconds(row.created),
            "logGroupName": row.parent,
            "queryDuration": int(ended * 1000) - milliseconds(row.created) if ended else None,
            "bytesScanned": (state.get("statistics") or {}).get("bytesScanned"),
            "userIdentity": state["by"],
        }
    )
