"""Contributor Insights rules: kept and switched; nothing evaluates them here
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutInsightRule.html)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.errors import AWSError, ValidationError
from clary.names import Arn
from clary.services.cloudwatch.errors import invalid_page, invalid_value
from clary.services.cloudwatch.service import SERVICE
from clary.services.context import Context
from clary.services.resources import Output, Params, now, page, present
from clary.services.tags import checked_tags
from clary.store.rows import Key, Query, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

KIND = "insight-rule"
MOST = 100
PAGE = 500

_STATES = ("ENABLED", "DISABLED")


@SERVICE.operation("PutInsightRule", effect="keeps state")
def put(context: Context, params: Params) -> Output:
    """A new one, or another in place of it. Raises InvalidParameterValue, LimitExceededException."""
    state = params.get("RuleState") or "ENABLED"
    if state not in _STATES:
        raise invalid_value(f"The value {state} for parameter RuleState is invalid.")
    if params.get("ApplyOnTransformedLogs"):
        raise invalid_value("Clary does not offer transformers of logs (ApplyOnTransformedLogs).")
    name, tags = params["RuleName"], checked_tags(params.get("Tags") or ())
    key, made = _key(context, name), now()
    arn = str(Arn("cloudwatch", context.region, context.account, f"insight-rule/{name}"))
    spec = {"Definition": params["RuleDefinition"], "Schema": _schema(params["RuleDefinition"])}
    row = Row(key, arn, state, made, made, spec)

    def change(transaction: Transaction) -> None:
        there = transaction.get(key)
        if there is not None:
            transaction.save(replace(there, status=state, spec=spec, modified=made))
            return
        owned = [each for each in transaction.rows(KIND) if each.key.account == key.account]
        if len([each for each in owned if each.key.region == key.region]) >= MOST:
            raise AWSError("LimitExceededException", f"You can have at most {MOST} rules.")
        transaction.insert(row)
        transaction.set_tags(row.arn, tags)

    context.store.write(change)
    return {}


def _key(context: Context, name: str) -> Key:
    return Key(KIND, context.account, context.region, name)


def _schema(definition: str) -> str:
    """`CloudWatchLogRule/1`."""
    try:
        document: Any = json.loads(definition)
        schema = document["Schema"]
        name, version = schema["Name"], schema["Version"]
    except (ValueError, RecursionError, KeyError, TypeError):
        raise invalid_value("The RuleDefinition must be a JSON object with a Schema.") from None
    if name not in ("CloudWatchLogRule", "CloudWatchMetricRule") or version != 1:
        raise invalid_value("The Schema of the RuleDefinition is not supported.")
    return f"{name}/{version}"


@SERVICE.operation("DescribeInsightRules")
def describe(context: Context, params: Params) -> Output:
    """Ordered by name. Raises InvalidNextToken."""
    query = Query(
        kind=KIND,
        account=context.account,
        region=context.region,
        sort_by="name",
        descending=False,
        limit=params.get("MaxResults") or PAGE,
        token=params.get("NextToken"),
    )
    try:
        found = page(context, query)
    except ValidationError:
        raise invalid_page() from None
    return present({"InsightRules": [_shown(row) for row in found.rows], "NextToken": found.token})


def _shown(row: Row) -> Output:
    return {
        "Name": row.key.name,
        "State": row.status,
        "ManagedRule": False,
        "ApplyOnTransformedLogs": False,
        **row.spec,
    }


@SERVICE.operation("DeleteInsightRules")
def delete(context: Context, params: Params) -> Output:
    """Those that are not there are named."""
    return _each(context, params, lambda transaction, row: transaction.delete(row.key))


@SERVICE.operation("EnableInsightRules", effect="keeps state")
def enable(context: Context, params: Params) -> Output:
    """Those that are not there are named."""
    return _each(context, params, lambda transaction, row: transaction.save(replace(row, status="ENABLED")))


@SERVICE.operation("DisableInsightRules", effect="keeps state")
def disable(context: Context, params: Params) -> Output:
    """Those that are not there are named."""
    return _each(context, params, lambda transaction, row: transaction.save(replace(row, status="DISABLED")))


def _each(context: Context, params: Params, change: Callable[[Transaction, Row], object]) -> Output:
    def apply(transaction: Transaction) -> list[Output]:
        failures = []
        for name in dict.fromkeys(params["RuleNames"]):
            row = transaction.get(_key(context, name))
            if row is None:
                failures.append(_failure(name))
            else:
                change(transaction, row)
        return failures

    return {"Failures": context.store.write(apply)}


def _failure(name: str) -> Output:
    return {
        "FailureResource": name,
        "ExceptionType": "ResourceNotFoundException",
        "FailureCode": "404",
        "FailureDescription": f"Rule {name} does not exist.",
    }
