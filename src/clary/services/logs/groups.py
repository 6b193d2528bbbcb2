"""Log groups (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clary.errors import AWSError, ValidationError
from clary.logfilters.rows import KINDS, METRIC_FILTER, following_key
from clary.services import resources
from clary.services.context import Context
from clary.services.logs import filters, remains
from clary.services.logs.errors import group_exists, invalid, invalid_token, no_group
from clary.services.logs.rows import GROUP, STREAM, group_key, group_row, milliseconds, require_group
from clary.services.logs.service import SERVICE, group_name
from clary.services.resources import Output, Params, now, present
from clary.store.rows import AlreadyExists, Page, Query, Row
from clary.telemetry.paths import group_folder

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

PAGE = 50
PROTECTED = "deletionProtectionEnabled"
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
    """With all its streams, their events and its filters. Raises ResourceNotFoundException, ValidationException."""
    key = group_key(context, params["logGroupName"])

    def change(transaction: Transaction) -> Row:
        row = transaction.get(key)
        if row is None:
            raise no_group()
        if row.spec.get(PROTECTED):
            raise AWSError("ValidationException", "The log group is protected from deletion.")
        transaction.delete(key)
        gone = list(_streams(transaction, key.account, key.region, key.name))
        for stream in gone:
            transaction.delete(stream.key)
        for kind in KINDS:
            for row in transaction.children(kind, key):
                transaction.delete(row.key)
        transaction.delete(following_key(key))
        return remains.note(transaction, key, gone)

    remains.remove(context.store, context.settings.logs_dir, context.store.write(change))
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
    query = replace(
        _query(context, params),
        name_prefix=params.get("logGroupNamePrefix"),
        name_contains=params.get("logGroupNamePattern"),
    )
    found = _page(context, query, _of_class(params))
    return present({"logGroups": [_shown(context, row) for row in found.rows], "nextToken": found.token})


@SERVICE.operation("ListLogGroups")
def list_(context: Context, params: Params) -> Output:
    """Ordered by name; those whose names contain, or begin with (`^`), one of several parts."""
    for member in ("dataSources", "fieldIndexNames", "logGroupTags"):
        if params.get(member):
            raise invalid(f"Clary does not find log groups by {member}.")
    parts = [part for part in params.get("logGroupNamePattern", "").split("|") if part]
    right = _of_class(params)

    def wanted(row: Row) -> bool:
        name = row.key.name
        fits = any(name.startswith(part[1:]) if part[0] == "^" else part in name for part in parts)
        return right(row) and (fits or not parts)

    found = _page(context, _query(context, params), wanted)
    return present({"logGroups": [_listed(row) for row in found.rows], "nextToken": found.token})


def _listed(row: Row) -> Output:
    return {"logGroupName": row.key.name, "logGroupArn": row.arn, "logGroupClass": row.spec["logGroupClass"]}


def _query(context: Context, params: Params) -> Query:
    return Query(
        kind=GROUP,
        account=context.account,
        region=context.region,
        sort_by="name",
        descending=False,
        limit=params.get("limit", PAGE),
        token=params.get("nextToken"),
    )


def _page(context: Context, query: Query, wanted: Callable[[Row], bool]) -> Page:
    try:
        return resources.page(context, query, wanted)
    except ValidationError:
        raise invalid_token() from None


def _of_class(params: Params) -> Callable[[Row], bool]:
    kind = params.get("logGroupClass")
    return lambda row: kind in (None, row.spec["logGroupClass"])


def _identified(context: Context, identifiers: list[str]) -> list[Row]:
    names = [group_name({"logGroupIdentifier": identifier}) for identifier in identifiers]
    found = (context.store.read.get(group_key(context, name)) for name in sorted(set(names)))
    return [row for row in found if row is not None]


def _shown(context: Context, row: Row) -> Output:
    return present(
        {
            "logGroupName": row.key.name,
            "creationTime": milliseconds(row.created),
            "metricFilterCount": filters.count(context, METRIC_FILTER, row.key.name),
            "arn": f"{row.arn}:*",
            "logGroupArn": row.arn,
            "storedBytes": _size(_folder(context, row.key.name)),
            "retentionInDays": row.spec.get("retentionInDays"),
            "kmsKeyId": row.spec.get("kmsKeyId"),
            "logGroupClass": row.spec["logGroupClass"],
            PROTECTED: row.spec.get(PROTECTED, False),
        }
    )


def _folder(context: Context, group: str) -> Path:
    return group_folder(context.settings.logs_dir, context.account, context.region, group)


def _size(folder: Path) -> int:
    try:
        with os.scandir(folder) as entries:
            return sum(map(_bytes, entries))
    except FileNotFoundError:
        return 0


def _bytes(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except FileNotFoundError:  # its stream has just been deleted, or written anew
        return 0


@SERVICE.operation("PutRetentionPolicy")
def put_retention(context: Context, params: Params) -> Output:
    """What is older is not shown any more, and is taken from the disk within the hour. Raises
    InvalidParameterException for a number of days that AWS does not know."""
    days = params["retentionInDays"]
    if days not in _RETENTIONS:
        raise invalid(f"Specified retention value {days} is invalid. Valid values are {sorted(_RETENTIONS)}.")
    return respecify(context, params, retentionInDays=days)


@SERVICE.operation("DeleteRetentionPolicy")
def delete_retention(context: Context, params: Params) -> Output:
    """Events are then kept for ever."""
    return respecify(context, params, retentionInDays=None)


@SERVICE.operation("AssociateKmsKey", effect="keeps state")
def associate_key(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterException."""
    return respecify(context, _keyed(params), kmsKeyId=params["kmsKeyId"])


@SERVICE.operation("DisassociateKmsKey", effect="keeps state")
def disassociate_key(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterException."""
    return respecify(context, _keyed(params), kmsKeyId=None)


def _keyed(params: Params) -> Params:
    """Which group is meant; results of queries have no keys here."""
    identifier = params.get("resourceIdentifier", "")
    if ":query-result:" in identifier or bool(identifier) == ("logGroupName" in params):
        raise invalid("Specify a log group, by logGroupName or by resourceIdentifier.")
    return {"logGroupIdentifier": identifier} if identifier else params


@SERVICE.operation("PutLogGroupDeletionProtection")
def protect(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    return respecify(context, params, **{PROTECTED: params[PROTECTED]})


def respecify(context: Context, params: Params, **changes: Any) -> Output:  # noqa: ANN401 - members of a spec
    """Change members of a group's spec; None takes one away. Raises ResourceNotFoundException."""
    key = require_group(context, params).key

    def change(transaction: Transaction) -> None:
        row = transaction.get(key)
        if row is None:
            raise no_group()
        transaction.save(replace(row, spec=present({**row.spec, **changes}), modified=now()))

    context.store.write(change)
    context.wake(key)
    return {}
