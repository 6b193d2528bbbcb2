"""Anomaly detectors are kept; metric streams are refused."""

from datetime import UTC, datetime

import pytest

METRIC = {"Namespace": "shop", "MetricName": "Latency", "Stat": "Average"}
PAIR = [{"Name": "a", "Value": "1"}]
MATH = {"MetricDataQueries": [{"Id": "e", "Expression": "SUM(METRICS())"}]}


@pytest.fixture
def cloudwatch(emptied_inner):
    return emptied_inner.service("cloudwatch")


def test_a_detector_is_known_by_its_metric_and_kept_once(cloudwatch):
    first = cloudwatch.call("PutAnomalyDetector", SingleMetricAnomalyDetector={**METRIC, "Dimensions": PAIR})
    excluded = {"StartTime": datetime(2026, 1, 1, tzinfo=UTC), "EndTime": datetime(2026, 1, 2, tzinfo=UTC)}
    again = cloudwatch.call(
        "PutAnomalyDetector", **METRIC, Dimensions=PAIR, Configuration={"ExcludedTimeRanges": [excluded]}
    )
    assert first == again
    (kept,) = cloudwatch.call("DescribeAnomalyDetectors", Namespace="shop", Dimensions=PAIR)["AnomalyDetectors"]
    assert (kept["Stat"], kept["StateValue"], kept["Configuration"]) == (
        "Average",
        "PENDING_TRAINING",
        {"ExcludedTimeRanges": [excluded]},
    )
    assert kept["SingleMetricAnomalyDetector"]["Dimensions"] == kept["Dimensions"] == PAIR
    assert cloudwatch.call("DescribeAnomalyDetectors", MetricName="other")["AnomalyDetectors"] == []
    cloudwatch.call("DeleteAnomalyDetector", **METRIC, Dimensions=PAIR)
    assert cloudwatch.refusal("DeleteAnomalyDetector", **METRIC, Dimensions=PAIR)[0] == "ResourceNotFoundException"


def test_detectors_of_expressions_are_listed_where_they_are_asked_for(cloudwatch):
    made = cloudwatch.call("PutAnomalyDetector", MetricMathAnomalyDetector=MATH)["AnomalyDetectorId"]
    assert cloudwatch.call("DescribeAnomalyDetectors")["AnomalyDetectors"] == []
    (kept,) = cloudwatch.call("DescribeAnomalyDetectors", AnomalyDetectorTypes=["METRIC_MATH"])["AnomalyDetectors"]
    assert (kept["AnomalyDetectorId"], kept["MetricMathAnomalyDetector"]) == (made, MATH)
    cloudwatch.call("DeleteAnomalyDetector", AnomalyDetectorId=made)


def test_detectors_that_cannot_be(cloudwatch):
    assert cloudwatch.refusal("PutAnomalyDetector")[0] == "MissingParameter"
    assert cloudwatch.refusal("PutAnomalyDetector", Namespace="shop", MetricName="m")[0] == "MissingParameter"
    both = cloudwatch.refusal("PutAnomalyDetector", **METRIC, MetricMathAnomalyDetector=MATH)
    assert both[0] == "InvalidParameterCombination"


def test_there_are_no_metric_streams(cloudwatch):
    asked = {"FirehoseArn": "arn:aws:firehose:::d", "RoleArn": "arn:aws:iam:::r", "OutputFormat": "json"}
    refused = cloudwatch.refusal("PutMetricStream", Name="s", **asked)
    assert refused == (
        "InvalidParameterValue",
        "Clary streams no metrics: there is no Firehose to take them.",
    )
    assert cloudwatch.call("ListMetricStreams") == {"Entries": []}
    assert cloudwatch.refusal("GetMetricStream", Name="s")[0] == "ResourceNotFoundException"
