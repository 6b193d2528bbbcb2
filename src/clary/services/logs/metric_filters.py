"""Metric filters (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html)."""

from __future__ import annotations

from typing import Any

from clary.logfilters.metrics import is_selector
from clary.logfilters.rows import METRIC_FILTER
from clary.logsearch.patterns import Pattern
from clary.logsearch.wording import NUMBER
from clary.services.context import Context
from clary.services.logs import filters
from clary.services.logs.errors import invalid
from clary.services.logs.filters import checked_pattern
from clary.services.logs.rows import require_group
from clary.services.logs.service import SERVICE
from clary.services.resources import Output, Params, present

MOST = 100
"""Of a group, as on AWS."""

_DIMENSIONS = 3


@SERVICE.operation("PutMetricFilter")
def put(context: Context, params: Params) -> Output:
    """From now on events that match become metrics. Raises ResourceNotFoundException, InvalidParameterException,
    LimitExceededException."""
    group = require_group(context, params).key
    filters.refuse_others(params)
    pattern = checked_pattern(params["filterPattern"])
    transformations = [_checked(each, pattern) for each in params["metricTransformations"]]
    spec = {
        "filterName": params["filterName"],
        "filterPattern": params["filterPattern"],
        "metricTransformations": transformations,
    }
    filters.keep(context, METRIC_FILTER, group, spec, MOST)
    return {}


def _checked(given: Params, pattern: Pattern) -> dict[str, Any]:
    value, dimensions = given["metricValue"], given.get("dimensions") or {}
    if not NUMBER.fullmatch(value) and not is_selector(value, pattern):
        raise invalid(f"Invalid metric transformation: {value} is neither a number nor a field of the filter pattern.")
    if len(dimensions) > _DIMENSIONS:
        raise invalid(f"Invalid metric transformation: at most {_DIMENSIONS} dimensions are allowed.")
    for selector in dimensions.values():
        if not is_selector(selector, pattern):
            raise invalid(f"Invalid metric transformation: dimension value {selector} is no field of the pattern.")
    if dimensions and given.get("defaultValue") is not None:
        raise invalid("Invalid metric transformation: dimensions and default value are mutually exclusive properties.")
    return present(dict(given))


@SERVICE.operation("DescribeMetricFilters")
def describe(context: Context, params: Params) -> Output:
    """Of a group, of a metric, or all. Raises ResourceNotFoundException, InvalidParameterException."""
    if ("metricName" in params) != ("metricNamespace" in params):
        raise invalid("metricName and metricNamespace must be specified together.")
    if "logGroupName" in params:
        require_group(context, params)
    page = filters.listed(context, METRIC_FILTER, params)
    return present({"metricFilters": [filters.shown(row) for row in page.rows], "nextToken": page.token})


@SERVICE.operation("DeleteMetricFilter")
def delete(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    filters.remove(context, METRIC_FILTER, params, "metric")
    return {}


@SERVICE.operation("TestMetricFilter")
def test(_context: Context, params: Params) -> Output:
    """Which messages match, and what is extracted from each. Raises InvalidParameterException."""
    pattern = checked_pattern(params["filterPattern"])
    found = ((number, text, pattern.find(text)) for number, text in enumerate(params["logEventMessages"], 1))
    return {
        "matches": [
            {"eventNumber": number, "eventMessage": text, "extractedValues": dict(match.values)}
            for number, text, match in found
            if match is not None
        ]
    }
