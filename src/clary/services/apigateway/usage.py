"""GetUsage: how often the keys of a usage plan have asked, day by day
(https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsage.html)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from clary.apis.throttling import period
from clary.services.apigateway.documents import USAGE_PLAN, Document, arn_of, key_of, listing
from clary.services.apigateway.errors import bad_request, not_found
from clary.services.apigateway.service import SERVICE
from clary.services.context import Context
from clary.services.resources import now
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store import Store
    from clary.store.transaction import Transaction

USAGE = "rest-usage"
_MOST_DAYS = 90
"""That are kept, and asked for at once."""


def note(store: Store, params: Mapping[str, Any]) -> dict[str, Any]:
    """Add what an edge has counted. Plans that have gone meanwhile count no more."""

    def apply(transaction: Transaction) -> None:
        for counted in params["counts"]:
            _add(transaction, counted)

    store.write(apply)
    return {}


def _add(transaction: Transaction, counted: Mapping[str, Any]) -> None:
    account, region, plan, key = (counted[name] for name in ("account", "region", "plan", "key"))
    if transaction.get(Key(USAGE_PLAN, account, region, plan)) is None:
        return
    place = Key(USAGE, account, region, f"{plan}/{key}")
    row = transaction.get(place)
    days = dict(row.spec["days"]) if row else {}
    days[counted["day"]] = days.get(counted["day"], 0) + counted["requests"]
    spec = {"days": dict(sorted(days.items())[-_MOST_DAYS:])}
    if row:
        transaction.save(replace(row, spec=spec, modified=now()))
    else:
        arn = arn_of(region, f"usageplans/{plan}/keys/{key}/usage")
        transaction.insert(Row(place, arn, "", now(), now(), spec, parent=plan))


@SERVICE.operation("GetUsage")
def get_usage(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """For each key of the plan, and each day from the first to the last: requests, and what is left of the quota (0
    where there is none)."""
    row = context.store.read.get(key_of(context, USAGE_PLAN, params["usagePlanId"]))
    if row is None:
        raise not_found("Usage Plan ID")
    first, last = _day(params["startDate"]), _day(params["endDate"])
    if last < first or (last - first).days > _MOST_DAYS:
        raise bad_request("Invalid usage date range: at most 90 days, the first before the last")
    keys = [key for key in row.spec["keys"] if params.get("keyId") in (None, key)]
    page = listing([{"key": key} for key in keys], params)
    items = {each["key"]: list(_days(context, row, each["key"], first, last)) for each in page.pop("items")}
    said = {"usagePlanId": row.key.name, "startDate": params["startDate"], "endDate": params["endDate"]}
    return {**said, "items": items, **page}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise bad_request(f"Invalid usage date: {text} is no YYYY-MM-DD") from None


def _days(context: Context, plan: Row, key: str, first: date, last: date) -> Iterator[list[int]]:
    row = context.store.read.get(key_of(context, USAGE, f"{plan.key.name}/{key}"))
    days: Mapping[str, int] = row.spec["days"] if row else {}
    quota: Document | None = plan.spec.get("quota")
    for number in range((last - first).days + 1):
        day = first + timedelta(number)
        yield [days.get(day.isoformat(), 0), _left(quota, days, day) if quota else 0]


def _left(quota: Document, days: Mapping[str, int], day: date) -> int:
    """Of the quota at the end of a day."""
    of = _period(quota, day)
    used = sum(count for each, count in days.items() if each <= day.isoformat() and of == _period(quota, _day(each)))
    return max(0, int(quota["limit"]) - int(quota.get("offset") or 0) - used)


def _period(quota: Document, day: date) -> str:
    return period(quota["period"], datetime.combine(day, time(), UTC))
