"""DescribeAlarmHistory (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html)."""

from __future__ import annotations

from datetime import datetime, timedelta

from clary.alarms.rows import HISTORY_KIND, METRIC
from clary.errors import ValidationError
from clary.services.cloudwatch.errors import invalid_alarm, invalid_page
from clary.services.cloudwatch.service import SERVICE
from clary.services.context import Context
from clary.services.resources import Output, Params, page, present
from clary.store.rows import Query, Row
from clary.wire.timestamps import in_utc

PAGE = 100

_INSTANT = timedelta(microseconds=1)


@SERVICE.operation("DescribeAlarmHistory")
def describe(context: Context, params: Params) -> Output:
    """Newest first unless asked otherwise; of metric alarms unless others, or one alarm, are asked for.
    Raises InvalidNextToken."""
    if params.get("AlarmContributorId"):
        raise invalid_alarm("Clary does not offer contributors to alarms (AlarmContributorId).")
    kind, start, end = params.get("HistoryItemType"), params.get("StartDate"), params.get("EndDate")
    query = Query(
        HISTORY_KIND,
        context.account,
        context.region,
        descending=params.get("ScanBy") != "TimestampAscending",
        limit=params.get("MaxRecords") or PAGE,
        token=params.get("NextToken"),
        statuses=(kind,) if kind else None,
        created_after=_before(start),
        created_before=None if end is None else in_utc(end) + _INSTANT,
        parent=params.get("AlarmName"),
    )
    types = params.get("AlarmTypes") or (() if params.get("AlarmName") else (METRIC,))
    try:
        found = page(context, query, lambda row: not types or row.spec["type"] in types)
    except ValidationError:
        raise invalid_page() from None
    return present({"AlarmHistoryItems": [_item(row) for row in found.rows], "NextToken": found.token})


def _before(start: datetime | None) -> datetime | None:
    """Bounds of queries are exclusive."""
    return None if start is None else in_utc(start) - _INSTANT


def _item(row: Row) -> Output:
    return {
        "AlarmName": row.parent,
        "AlarmType": row.spec["type"],
        "Timestamp": row.created,
        "HistoryItemType": row.status,
        "HistorySummary": row.spec["summary"],
        "HistoryData": row.spec["data"],
    }
