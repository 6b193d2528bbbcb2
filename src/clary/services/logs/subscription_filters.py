"""Subscription filters: events that match are handed to functions
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html)."""

from __future__ import annotations

from clary.errors import AccessDenied, AWSError
from clary.logfilters.deriving import invoke_function
from clary.logfilters.rows import SUBSCRIPTION_FILTER
from clary.names import Arn
from clary.services.context import Context
from clary.services.logs import filters
from clary.services.logs.errors import invalid
from clary.services.logs.filters import checked_pattern
from clary.services.logs.rows import require_group
from clary.services.logs.service import SERVICE
from clary.services.resources import Output, Params, present
from clary.store.rows import Key

MOST = 2
"""Of a group, as on AWS."""

_WITH_ROLE = frozenset({"kinesis", "firehose"})


@SERVICE.operation("PutSubscriptionFilter")
def put(context: Context, params: Params) -> Output:
    """From now on; the function must let CloudWatch Logs in. Raises ResourceNotFoundException,
    InvalidParameterException, AccessDeniedException, LimitExceededException."""
    group = require_group(context, params).key
    filters.refuse_others(params)
    checked_pattern(params["filterPattern"])
    _check_destination(context, group, params)
    spec = {name: params[name] for name in ("filterName", "filterPattern", "destinationArn")}
    more = {"distribution": params.get("distribution", "ByLogStream"), "roleArn": params.get("roleArn")}
    filters.keep(context, SUBSCRIPTION_FILTER, group, present({**spec, **more}), MOST)
    return {}


def _check_destination(context: Context, group: Key, params: Params) -> None:
    try:
        arn = Arn.parse(params["destinationArn"])
    except ValueError:
        raise invalid("Invalid destination ARN.") from None
    if arn.service in _WITH_ROLE and not params.get("roleArn"):
        raise invalid(f"destinationArn for vendor {arn.service} cannot be used without roleArn")
    if arn.service != "lambda":
        raise invalid(f"Clary delivers log events to Lambda functions only, not to {arn.service}.")
    if (arn.account, arn.region) != (context.account, context.region):
        raise AWSError(
            "AccessDeniedException",
            "Cross-account lambda invocation passing is not allowed. You must use DestinationPolicies to create cross "
            "account lambda triggers.",
        )
    try:
        invoke_function(context.invoke, group, params["destinationArn"], b"{}", "DryRun")
    except AccessDenied:
        raise invalid(
            "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute "
            "your function."
        ) from None


@SERVICE.operation("DescribeSubscriptionFilters")
def describe(context: Context, params: Params) -> Output:
    """Ordered by name. Raises ResourceNotFoundException."""
    require_group(context, params)
    page = filters.listed(context, SUBSCRIPTION_FILTER, params)
    return present({"subscriptionFilters": [filters.shown(row) for row in page.rows], "nextToken": page.token})


@SERVICE.operation("DeleteSubscriptionFilter")
def delete(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    filters.remove(context, SUBSCRIPTION_FILTER, params, "subscription")
    return {}
