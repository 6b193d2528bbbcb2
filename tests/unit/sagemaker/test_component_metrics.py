"""What runs measure: sent by `Run.log_metric`, shown by trial components, and asked for again."""

import time
from datetime import UTC, datetime, timedelta

import pytest

ACCOUNT = "000000000000"
ARN = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:experiment-trial-component/c"


@pytest.fixture
def sagemaker(emptied_inner):
    service = emptied_inner.service("sagemaker")
    service.call("CreateTrialComponent", TrialComponentName="c")
    return service


def put(inner, *values, name="loss", at=None, **more):
    moment = at or datetime.now(UTC)
    data = [
        {"MetricName": name, "Timestamp": moment + timedelta(milliseconds=step), "Step": step, "Value": value}
        for step, value in enumerate(values)
    ]
    return inner("sagemaker-metrics", "BatchPutMetrics", **{"TrialComponentName": "c", "MetricData": data, **more})


def asked(inner, **query):
    defaults = {"MetricName": "loss", "ResourceArn": ARN, "MetricStat": "Last", "Period": "IterationNumber",
                "XAxisType": "IterationNumber"}  # fmt: skip
    [result] = inner("sagemaker-metrics", "BatchGetMetrics", MetricQueries=[defaults | query])["MetricQueryResults"]
    return result


def test_a_component_shows_what_was_measured_of_it(emptied_inner, sagemaker):
    assert put(emptied_inner, 4.0, 2.0, 3.0) == {"Errors": []}
    put(emptied_inner, 1.0, name="accuracy")
    accuracy, loss = sagemaker.call("DescribeTrialComponent", TrialComponentName="c")["Metrics"]
    assert (accuracy["MetricName"], accuracy["Count"], accuracy["StdDev"]) == ("accuracy", 1, 0.0)
    assert loss["TimeStamp"].tzinfo is not None
    del loss["TimeStamp"]
    assert loss.pop("StdDev") == pytest.approx(0.81649658)
    expected = {"MetricName": "loss", "SourceArn": ARN, "Max": 4.0, "Min": 2.0, "Last": 3.0, "Count": 3, "Avg": 3.0}
    assert loss == expected


def test_a_request_that_is_tried_again_counts_once(emptied_inner, sagemaker):
    emptied_inner.invocation_id = "the same"
    put(emptied_inner, 4.0)
    put(emptied_inner, 4.0)
    [loss] = sagemaker.call("DescribeTrialComponent", TrialComponentName="c")["Metrics"]
    assert loss["Count"] == 1


def test_values_of_another_time_are_refused_for_themselves(emptied_inner, sagemaker):
    old = {"MetricName": "loss", "Timestamp": datetime.now(UTC) - timedelta(days=15), "Value": 1.0}
    new = {**old, "Timestamp": datetime.now(UTC) + timedelta(hours=3)}
    good = {**old, "Timestamp": datetime.now(UTC)}
    said = put(emptied_inner, MetricData=[old, good, new])
    assert said["Errors"] == [{"Code": "VALIDATION_ERROR", "MetricIndex": index} for index in (0, 2)]
    assert sagemaker.call("DescribeTrialComponent", TrialComponentName="c")["Metrics"][0]["Count"] == 1


def test_values_are_asked_for_by_iteration_and_by_time(emptied_inner, sagemaker):
    hour = datetime.fromtimestamp(int(time.time()) // 3600 * 3600 - 7200, UTC)
    put(emptied_inner, 4.0, 2.0, 3.0, at=hour)
    put(emptied_inner, 8.0, at=hour + timedelta(hours=1))
    assert asked(emptied_inner) == {"Status": "Complete", "XAxisValues": [0, 1, 2], "MetricValues": [8.0, 2.0, 3.0]}
    assert asked(emptied_inner, Start=1, End=1)["MetricValues"] == [2.0]
    by_hour = asked(emptied_inner, Period="OneHour", XAxisType="Timestamp", MetricStat="Avg")
    first = int(hour.timestamp())
    assert (by_hour["XAxisValues"], by_hour["MetricValues"]) == ([first, first + 3600], [3.0, 8.0])
    assert asked(emptied_inner, Period="OneHour", XAxisType="Timestamp", MetricStat="Count")["MetricValues"] == [3, 1]
    assert asked(emptied_inner, MetricName="other")["XAxisValues"] == []
    assert asked(emptied_inner, Period="OneHour")["Status"] == "ValidationError"
    assert asked(emptied_inner, ResourceArn=f"{ARN}2")["Status"] == "ValidationError"


def test_measurements_go_with_their_component(emptied_inner, sagemaker):
    put(emptied_inner, 4.0)
    sagemaker.call("DeleteTrialComponent", TrialComponentName="c")
    sagemaker.call("CreateTrialComponent", TrialComponentName="c")
    assert asked(emptied_inner)["XAxisValues"] == []
    assert "Metrics" not in sagemaker.call("DescribeTrialComponent", TrialComponentName="c")
    data = [{"MetricName": "m", "Timestamp": datetime.now(UTC), "Value": 1.0}]
    missing = emptied_inner.refusal("sagemaker-metrics", "BatchPutMetrics", TrialComponentName="no", MetricData=data)
    assert missing[0] == "ResourceNotFound"


def test_the_right_is_on_the_component(emptied_inner, sagemaker):
    emptied_inner.authorizer.needed.clear()
    put(emptied_inner, 1.0)
    asked(emptied_inner)
    needed = [(each.action, each.resource) for each in emptied_inner.authorizer.needed]
    assert needed == [("sagemaker:BatchPutMetrics", ARN), ("sagemaker:BatchGetMetrics", ARN)]
