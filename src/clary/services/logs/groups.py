"""Log groups (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clary.services.context import Context
from clary.services.logs.errors import group_exists, invalid, invalid_token, no_group
from clary.services.logs.rows import GROUP, STREAM, group_key, group_row, milliseconds, require_group
from clary.services.logs.service import SERVICE, group_name
from clary.services.resources import Output, Params, now, present
from clary.store.rows import AlreadyExists, Query, Row
from clary.telemetry.paths import group_folder

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

PAGE = 50
_STREAMS_AT_ONCE = 1000
_RETENTIONS = frozenset(
    {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)
"""Days that PutRetentionPolicy knows."""


@SERVICE.operation("CreateLogGroup")
def create(context: Context, params: Params) -> Output:
    """Raises ResourceAlreadyExistsException."""
    spec = present({"logGroupClass": params.get("logGroupClass", "STANDARD"), "kmsKeyId": params.get("kmsKeyId")})
    row = group_row(context, params["logGroupName"], spec, now())

    def change(transaction: Transaction) -> None:
        transaction.insert(row)
        transaction.set_tags(row.arn, params.get("tags") or {})

    try:
        context.store.write(change)
    except AlreadyExists:
        raise group_exists() from None
    return {}


@SERVICE.operation("DeleteLogGroup")
def delete(context: Context, params: Params) -> Output:
    """With all its streams and their events. Raises ResourceNotFoundException."""
    key = group_key(context, params["logGroupName"])

    def change(transaction: Transaction) -> None:
        if not transaction.delete(key):
            raise no_group()
        for stream in _streams(transaction, key.account, key.region, key.name):
            transaction.delete(stream.key)

    context.store.write(change)
    shutil.rmtree(_folder(context, key.name), ignore_errors=True)
    return {}


def _streams(transaction: Transaction, account: str, region: str, group: str) -> Iterator[Row]:
    query = Query(STREAM, account, region, sort_by="name", descending=False, limit=_STREAMS_AT_ONCE, parent=group)
    while True:
        page = transaction.page(query)
        yield from page.rows
        if page.token is None:
            return
        query = replace(query, token=page.token)


@SERVICE.operation("DescribeLogGroups")
def describe(context: Context, params: Params) -> Output:
    """Ordered by name; by prefix, by pattern (a part of the name) or by identifiers."""
    if "logGroupNamePrefix" in params and "logGroupNamePattern" in params:
        raise invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
    if params.get("logGroupIdentifiers"):
        return {"logGroups": [_shown(context, row) for row in _identified(context, params["logGroupIdentifiers"])]}
    query = Query(
        kind=GROUP,
        account=context.account,
        region=context.region,
        sort_by="name",
        descending=False,
        limit=params.get("limit", PAGE),
        token=params.get("nextToken"),
        name_prefix=params.get("logGroupNamePrefix"),
        name_contains=params.get("logGroupNamePattern"),
    )
    try:
        page = context.store.read.page(query)
    except ValueError:
        raise invalid_token() from None
    return present({"logGroups": [_shown(context, row) for row in page.rows], "nextToken": page.token})


def _identified(context: Context, identifiers: list[str]) -> list[Row]:
    names = [group_name({"logGroupIdentifier": identifier}) for identifier in identifiers]
    found = (context.store.read.get(group_key(context, name)) for name in sorted(set(names)))
    return [row for row in found if row is not None]


def _shown(context: Context, row: Row) -> Output:
    return present(
        {
            "logGroupName": row.key.name,
            "creationTime": milliseconds(row.created),
            "metricFilterCount": 0,
            "arn": f"{row.arn}:*",
            "logGroupArn": row.arn,
            "storedBytes": _size(_folder(context, row.key.name)),
            "retentionInDays": row.spec.get("retentionInDays"),
            "kmsKeyId": row.spec.get("kmsKeyId"),
            "logGroupClass": row.spec["logGroupClass"],
        }
    )


def _folder(context: Context, group: str) -> Path:
    return group_folder(context.settings.logs_dir, context.account, context.region, group)


def _size(folder: Path) -> int:
    try:
        with os.scandir(folder) as entries:
            return sum(entry.stat().st_size for entry in entries)
    except FileNotFoundError:
        return 0


@SERVICE.operation("PutRetentionPolicy", effect="keeps state")
def put_retention(context: Context, params: Params) -> Output:
    """Raises InvalidParameterException for a number of days that AWS does not know."""
    days = params["retentionInDays"]
    if days not in _RETENTIONS:
        raise invalid(f"Specified retention value {days} is invalid. Valid values are {sorted(_RETENTIONS)}.")
    return _respecify(context, params, retentionInDays=days)


@SERVICE.operation("DeleteRetentionPolicy", effect="keeps state")
def delete_retention(context: Context, params: Params) -> Output:
    """Events are then kept for ever."""
    return _respecify(context, params, retentionInDays=None)


def _respecify(context: Context, params: Params, **changes: Any) -> Output:  # noqa: ANN401 - members of a spec
    key = require_group(context, params).key

    def change(transaction: Transaction) -> None:
        row = transaction.get(key)
        if row is None:
            raise no_group()
        transaction.save(replace(row, spec=present({**row.spec, **changes}), modified=now()))

    context.store.write(change)
    return {}
