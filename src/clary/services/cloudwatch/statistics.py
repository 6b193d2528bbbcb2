"""GetMetricStatistics (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html)."""

from __future__ import annotations

import time
from collections.abc import Sequence

from clary.services.cloudwatch.errors import invalid_combination, invalid_value
from clary.services.cloudwatch.names import dimensions
from clary.services.cloudwatch.reading import check_period, moment, stretch
from clary.services.cloudwatch.service import SERVICE
from clary.services.context import Context
from clary.services.resources import Output, Params, present
from clary.telemetry.series import Metric, Point
from clary.telemetry.statistics import STATISTICS, Statistic, extended

MOST_POINTS = 1440


@SERVICE.operation("GetMetricStatistics")
def get_statistics(context: Context, params: Params) -> Output:
    """One datapoint for each period and unit with data. Raises InvalidParameterValue,
    InvalidParameterCombination."""
    named, percentiles = _asked(params)
    check_period(params["Period"])
    wanted = stretch(params["StartTime"], params["EndTime"], params["Period"], time.time())
    if len(wanted) > MOST_POINTS:
        raise invalid_combination(
            f"You have requested up to {len(wanted):,} datapoints, which exceeds the limit of {MOST_POINTS:,}. You may "
            "reduce the datapoints requested by increasing Period, or decreasing the time range."
        )
    metric = Metric(params["Namespace"], params["MetricName"], dimensions(params.get("Dimensions"), "Dimensions"))
    points = context.series.points(context.account, context.region, metric, wanted, params.get("Unit"))
    shown = [_datapoint(point, named, percentiles) for point in points]
    return {"Label": metric.name, "Datapoints": shown}


def _asked(params: Params) -> tuple[Sequence[str], dict[str, Statistic]]:
    named, others = params.get("Statistics"), params.get("ExtendedStatistics")
    if not named and not others:
        raise invalid_combination("Must specify either Statistics or ExtendedStatistics")
    if named and others:
        raise invalid_combination("The parameters Statistics and ExtendedStatistics are mutually exclusive.")
    percentiles = {name: extended(name) for name in others or ()}
    for name, found in percentiles.items():
        if found is None:
            raise invalid_value(f"The value {name} for parameter ExtendedStatistics is not supported.")
    return named or (), {name: found for name, found in percentiles.items() if found is not None}


def _datapoint(point: Point, named: Sequence[str], percentiles: dict[str, Statistic]) -> Output:
    found = {name: of(point.summary) for name, of in percentiles.items()}
    return {
        "Timestamp": moment(point.at),
        "Unit": point.unit,
        **{name: STATISTICS[name](point.summary) for name in named},
        **({"ExtendedStatistics": present(found)} if found else {}),
    }
