"""PutMetricAlarm (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html)."""

from __future__ import annotations

import json
import math
from typing import Any

from clary.alarms.rows import METRIC
from clary.alarms.spec import COMPARISONS, TREATMENTS, metric_of
from clary.services.cloudwatch.alarm_rows import checked_actions, checked_alarm_tags, checked_name, keep
from clary.services.cloudwatch.errors import invalid_alarm, invalid_value
from clary.services.cloudwatch.math_alarms import checked_queries
from clary.services.cloudwatch.names import dimensions
from clary.services.cloudwatch.service import SERVICE
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.telemetry.series import DAY, HOUR, Metric
from clary.telemetry.statistics import extended

WEEK = 7 * DAY

MATH_PARENT = "math"
"""What alarms on queries are below: DescribeAlarmsForMetric does not know them, as on AWS."""

_PERIODS = frozenset({10, 20, 30})
_NOT_OFFERED = {
    "ThresholdMetricId": "alarms on anomaly detection",
    "EvaluationCriteria": "alarms on PromQL",
    "EvaluationInterval": "alarms on PromQL",
    "EvaluationWindow": "evaluation windows",
    "WarmUpConfiguration": "warm-up of alarms",
}
_OF_ONE_METRIC = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
_KEPT = (
    "AlarmName", "AlarmDescription", "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Unit",
    "EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData",
    "EvaluateLowSampleCountPercentile",
)  # fmt: skip


@SERVICE.operation("PutMetricAlarm")
def put_metric_alarm(context: Context, params: Params) -> Output:
    """A new alarm is evaluated at once, one that was there keeps its state until it is. Raises ValidationError."""
    for member, what in _NOT_OFFERED.items():
        if params.get(member):
            raise invalid_alarm(f"Clary does not offer {what} ({member}).")
    checked_name(params["AlarmName"])
    _check_comparison(params)
    if params.get("Metrics"):
        spec, parent = _of_queries(context, params), MATH_PARENT
    else:
        spec = _of_metric(params)
        parent = watched(metric_of(spec))
    keep(context, spec, METRIC, checked_alarm_tags(params), parent)
    return {}


def _of_metric(params: Params) -> dict[str, Any]:
    _check_statistic(params)
    _need(params, "Period", "EvaluationPeriods")
    _check_periods(params, params["Period"])
    _check_options(params)
    named = [{"Name": name, "Value": value} for name, value in dimensions(params.get("Dimensions"), "Dimensions")]
    return {**_kept(params), "Dimensions": named}


def _of_queries(context: Context, params: Params) -> dict[str, Any]:
    for member in _OF_ONE_METRIC:
        if params.get(member):
            raise invalid_alarm(f"{member} should not be set if list of Metrics is set.")
    _need(params, "EvaluationPeriods")
    _check_periods(params, checked_queries(context, params["Metrics"]))
    _check_options(params)
    return {**_kept(params), "Metrics": params["Metrics"]}


def watched(metric: Metric) -> str:
    """What an alarm's row is a child of: all alarms of one metric are found together."""
    return json.dumps([metric.namespace, metric.name, metric.dimensions], separators=(",", ":"))


def _kept(params: Params) -> dict[str, Any]:
    kept = {name: params[name] for name in _KEPT if params.get(name) is not None}
    return {**kept, "Threshold": float(params["Threshold"]), **checked_actions(params)}


def _need(params: Params, *names: str) -> None:
    for name in names:
        if params.get(name) is None:
            article = "an" if name[0] in "AEIOU" else "a"
            raise invalid_alarm(f"PutMetricAlarm request should have {article} {name} parameter")


def _check_comparison(params: Params) -> None:
    if params.get("ComparisonOperator") not in COMPARISONS:
        raise invalid_alarm("PutMetricAlarm request should have a valid ComparisonOperator parameter")
    threshold = params.get("Threshold")
    if threshold is None or not math.isfinite(threshold):
        raise invalid_alarm("PutMetricAlarm request should have valid Threshold parameter")


def _check_statistic(params: Params) -> None:
    _need(params, "MetricName", "Namespace")
    name = params.get("ExtendedStatistic")
    if name and params.get("Statistic"):
        raise invalid_alarm(
            "PutMetricAlarm request can not be made with both Statistic and ExtendedStatistic parameters. "
            "Only one of them should be present"
        )
    if not name:
        _need(params, "Statistic")
    elif extended(name) is None:
        raise invalid_value(f"The value {name} for parameter ExtendedStatistic is not supported.")


def _check_periods(params: Params, period: int) -> None:
    periods = params["EvaluationPeriods"]
    if period not in _PERIODS and period % 60:
        raise invalid_alarm("Period must be 10, 20, 30 or a multiple of 60")
    if period < HOUR and period * periods > DAY:
        raise invalid_alarm(
            f"Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= {DAY}) "
            f"for alarms using period < {HOUR}"
        )
    if period * periods > WEEK:
        raise invalid_alarm(
            f"Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= {WEEK}) "
            f"for alarms using period >= {HOUR}"
        )
    if (params.get("DatapointsToAlarm") or 1) > periods:
        raise invalid_alarm("DatapointsToAlarm must be less than or equal to EvaluationPeriods")


def _check_options(params: Params) -> None:
    treatment = params.get("TreatMissingData")
    if treatment is not None and treatment not in TREATMENTS:
        raise invalid_alarm("Supported values for TreatMissingData are breaching, notBreaching, ignore, and missing.")
    low = params.get("EvaluateLowSampleCountPercentile")
    if low is None:
        return
    if low not in ("evaluate", "ignore"):
        raise invalid_alarm("Supported options for EvaluateLowSampleCountPercentile are evaluate and ignore.")
    if not params.get("ExtendedStatistic"):
        raise invalid_alarm(
            f"Option evaluateLowSampleCountPercentile can not be applied with statistic {params.get('Statistic')}. "
            "This option is enabled only for percentile statistics."
        )
