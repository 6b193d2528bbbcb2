"""What metric filters and subscription filters have in common."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.errors import AWSError, ValidationError
from clary.logfilters.rows import filter_key, filter_row
from clary.logsearch.patterns import BadPattern, Pattern, compiled
from clary.services.context import Context
from clary.services.logs.errors import invalid, invalid_token, no_group
from clary.services.logs.rows import GROUP, group_key, milliseconds
from clary.services.resources import Output, Params, now, page, present
from clary.store.rows import Key, Page, Query, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

PAGE = 50

_NOT_OFFERED = {
    "applyOnTransformedLogs": "transformers of logs",
    "fieldSelectionCriteria": "criteria on fields",
    "emitSystemFieldDimensions": "system fields as dimensions",
    "emitSystemFields": "system fields",
}


def limit_exceeded() -> AWSError:
    """One more than there may be."""
    return AWSError("LimitExceededException", "Resource limit exceeded.")


def checked_pattern(pattern: str) -> Pattern:
    """Raises InvalidParameterException."""
    try:
        return compiled(pattern)
    except BadPattern as bad:
        raise invalid(str(bad)) from None


def refuse_others(params: Params) -> None:
    """Raises InvalidParameterException for members that would change what a filter does."""
    for member, what in _NOT_OFFERED.items():
        if params.get(member):
            raise invalid(f"Clary does not offer {what} ({member}).")


def keep(context: Context, kind: str, group: Key, spec: dict[str, Any], most: int) -> None:
    """A new filter, or another in place of the one with its name. Raises ResourceNotFoundException,
    LimitExceededException."""
    row = filter_row(kind, group, spec, now())

    def change(transaction: Transaction) -> None:
        if transaction.get(group) is None:
            raise no_group()
        there = transaction.get(row.key)
        if there is not None:
            transaction.save(replace(there, spec=spec, modified=row.modified))
            return
        if len(transaction.children(kind, group)) >= most:
            raise limit_exceeded()
        transaction.insert(row)

    context.store.write(change)
    context.wake(group)


def remove(context: Context, kind: str, params: Params, noun: str) -> None:
    """Raises ResourceNotFoundException, for the group first."""
    group = group_key(context, params["logGroupName"])

    def change(transaction: Transaction) -> None:
        if transaction.get(group) is None:
            raise no_group()
        if not transaction.delete(filter_key(kind, group, params["filterName"])):
            raise AWSError("ResourceNotFoundException", f"The specified {noun} filter does not exist.")

    context.store.write(change)
    context.wake(group)


def listed(context: Context, kind: str, params: Params) -> Page:
    """Ordered by group and name. Raises InvalidParameterException."""
    group, prefix = params.get("logGroupName"), params.get("filterNamePrefix")
    query = Query(
        kind=kind,
        account=context.account,
        region=context.region,
        sort_by="name",
        descending=False,
        limit=params.get("limit", PAGE),
        token=params.get("nextToken"),
        name_prefix=f"{group}:{prefix or ''}" if group else None,
        parent=group,
    )
    metric, namespace = params.get("metricName"), params.get("metricNamespace")

    def wanted(row: Row) -> bool:
        if not group and prefix and not row.spec["filterName"].startswith(prefix):
            return False
        return metric is None or any(
            each["metricName"] == metric and each["metricNamespace"] == namespace
            for each in row.spec["metricTransformations"]
        )

    try:
        return page(context, query, wanted)
    except ValidationError:
        raise invalid_token() from None


def shown(row: Row) -> Output:
    """As a filter is described."""
    return present(
        {
            **row.spec,
            "creationTime": milliseconds(row.created),
            "logGroupName": row.parent,
            "applyOnTransformedLogs": False,
        }
    )


def count(context: Context, kind: str, group: str) -> int:
    """Filters of a group."""
    return len(context.store.read.children(kind, Key(GROUP, context.account, context.region, group)))
