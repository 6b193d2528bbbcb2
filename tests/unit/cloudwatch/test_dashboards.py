"""Dashboards and Contributor Insights rules: kept, and checked."""

import json
from datetime import UTC, datetime, timedelta

import pytest

BODY = json.dumps(
    {
        "widgets": [
            {"type": "metric", "x": 0, "y": 0, "width": 6, "height": 6, "properties": {"metrics": [["ns", "m"]]}},
            {"type": "text", "properties": {"markdown": "# Hello"}},
        ]
    }
)
RULE = json.dumps({"Schema": {"Name": "CloudWatchLogRule", "Version": 1}, "LogGroupNames": ["g"]})


@pytest.fixture
def cloudwatch(inner):
    return inner.service("cloudwatch")


def test_dashboards_are_kept_for_all_regions(inner, cloudwatch):
    assert cloudwatch.call("PutDashboard", DashboardName="d", DashboardBody=BODY) == {"DashboardValidationMessages": []}
    found = inner("cloudwatch", "GetDashboard", region="eu-west-1", DashboardName="d")
    arn = "arn:aws:cloudwatch::000000000000:dashboard/d"
    assert found == {"DashboardArn": arn, "DashboardBody": BODY, "DashboardName": "d"}
    cloudwatch.call("PutDashboard", DashboardName="d", DashboardBody='{"widgets":[]}')
    (entry,) = cloudwatch.call("ListDashboards", DashboardNamePrefix="d")["DashboardEntries"]
    assert (entry["DashboardName"], entry["Size"]) == ("d", 14)
    assert cloudwatch.call("ListDashboards", DashboardNamePrefix="x") == {"DashboardEntries": []}
    assert cloudwatch.refusal("DeleteDashboards", DashboardNames=["d", "no"])[0] == "DashboardNotFoundError"
    cloudwatch.call("DeleteDashboards", DashboardNames=["d"])
    assert cloudwatch.refusal("GetDashboard", DashboardName="d") == (
        "DashboardNotFoundError",
        "Dashboard d does not exist",
    )


BAD = (
    "",
    "[]",
    "{",
    "{}",
    '{"widgets":[1]}',
    '{"widgets":[{"type":"pie","properties":{}}]}',
    '{"widgets":[{"type":"text"}]}',
    '{"widgets":[{"type":"text","properties":{}}]}',
    '{"widgets":[{"type":"metric","properties":{"metrics":["m"]}}]}',
    '{"widgets":[{"type":"alarm","x":24,"properties":{}}]}',
    "[" * 100_000,
)


def test_bodies_that_are_no_dashboards_are_refused(cloudwatch):
    for body in BAD:
        refused = cloudwatch.refusal("PutDashboard", DashboardName="d", DashboardBody=body)
        assert refused[0] == "InvalidParameterInput", body


def test_what_is_odd_about_a_dashboard_is_said(cloudwatch):
    said = cloudwatch.call("PutDashboard", DashboardName="d", DashboardBody='{"widgets":[],"colour":"red"}')
    assert said["DashboardValidationMessages"] == [{"DataPath": "/colour", "Message": "Unknown property"}]


def test_a_dashboards_name_is_checked(cloudwatch):
    refused = cloudwatch.refusal("PutDashboard", DashboardName="a dashboard", DashboardBody=BODY)
    assert refused[0] == "InvalidParameterValue"
    assert refused[1].startswith("The value for field DashboardName contains invalid characters.")


def test_rules_are_kept_switched_and_deleted(cloudwatch):
    cloudwatch.call("PutInsightRule", RuleName="r", RuleDefinition=RULE)
    (rule,) = cloudwatch.call("DescribeInsightRules")["InsightRules"]
    assert (rule["State"], rule["Schema"], rule["Definition"]) == ("ENABLED", "CloudWatchLogRule/1", RULE)
    (failure,) = cloudwatch.call("DisableInsightRules", RuleNames=["r", "no"])["Failures"]
    assert failure["FailureResource"] == "no"
    assert cloudwatch.call("DescribeInsightRules")["InsightRules"][0]["State"] == "DISABLED"
    assert cloudwatch.call("EnableInsightRules", RuleNames=["r"]) == {"Failures": []}
    assert cloudwatch.call("DeleteInsightRules", RuleNames=["r"]) == {"Failures": []}
    assert cloudwatch.call("DescribeInsightRules") == {"InsightRules": []}
    refused = cloudwatch.refusal("PutInsightRule", RuleName="r", RuleDefinition='{"Schema":1}')
    assert refused[0] == "InvalidParameterValue"


def test_parts_of_values_are_asked_for_by_name(cloudwatch):
    now = datetime.now(UTC)
    values = [float(number) for number in range(1, 101)]
    datum = {"MetricName": "m", "Timestamp": now - timedelta(minutes=5), "Values": values}
    cloudwatch.call("PutMetricData", Namespace="ns", MetricData=[datum])
    stretch = {"StartTime": now - timedelta(minutes=30), "EndTime": now}
    (point,) = cloudwatch.call("GetMetricStatistics", Namespace="ns", MetricName="m", Period=3600,
                               ExtendedStatistics=["tm90", "PR(:30)"], **stretch)["Datapoints"]  # fmt: skip
    assert point["ExtendedStatistics"] == {"tm90": 45.5, "PR(:30)": 30.0}
    query = {
        "Id": "q",
        "MetricStat": {"Metric": {"Namespace": "ns", "MetricName": "m"}, "Period": 3600, "Stat": "TC(80:)"},
    }
    (result,) = cloudwatch.call("GetMetricData", MetricDataQueries=[query], **stretch)["MetricDataResults"]
    assert result["Values"] == [20.0]
