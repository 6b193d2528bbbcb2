"""Metrics of runs: summed up as they come, by whoever sends them."""

from __future__ import annotations

import statistics
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.services.sagemaker.component_metrics import joined
from clary.services.sagemaker.metric_values import KIND
from clary.services.sagemaker_metrics import getting

ACCOUNT = "000000000000"
ARN = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:experiment-trial-component/run"
NOW = datetime.now(UTC)


@pytest.fixture
def inner(emptied_inner):
    return emptied_inner


@pytest.fixture
def sagemaker(inner):
    service = inner.service("sagemaker")
    service.call("CreateTrialComponent", TrialComponentName="Run")
    return service


def value(number, name="loss", ago=timedelta()):
    return {"MetricName": name, "Timestamp": NOW - ago, "Value": float(number)}


def put(inner, *values):
    return inner("sagemaker-metrics", "BatchPutMetrics", TrialComponentName="run", MetricData=list(values))


def metrics(sagemaker):
    found = sagemaker.call("DescribeTrialComponent", TrialComponentName="Run").get("Metrics", [])
    return {each.pop("MetricName"): each for each in found}


def test_values_are_summed_up_and_found(inner, sagemaker):
    assert metrics(sagemaker) == {}
    assert put(inner, value(4), value(2, ago=timedelta(minutes=5))) == {}
    put(inner, value(3, ago=timedelta(minutes=1)), value(1, "accuracy"))
    loss = metrics(sagemaker)["loss"]
    assert (loss["Count"], loss["Min"], loss["Max"], loss["Last"], loss["Avg"]) == (3, 2.0, 4.0, 4.0, 3.0)
    assert loss["StdDev"] == pytest.approx(statistics.pstdev([4, 2, 3]))
    assert (loss["SourceArn"], loss["TimeStamp"]) == (ARN, NOW)
    asked = {"Filters": [{"Name": "Metrics.Max", "Operator": "GreaterThan", "Value": "3.5"}]}
    found = sagemaker.call("Search", Resource="ExperimentTrialComponent", SearchExpression=asked)["Results"]
    assert [each["TrialComponent"]["TrialComponentName"] for each in found] == ["Run"]


def found(sagemaker, *filters, **params):
    asked = {"Filters": [{"Name": name, "Operator": operator, "Value": value} for name, operator, value in filters]}
    results = sagemaker.call("Search", Resource="ExperimentTrialComponent", SearchExpression=asked, **params)["Results"]
    return [each["TrialComponent"]["TrialComponentName"] for each in results]


def test_components_are_found_by_a_metric_of_theirs_and_sorted_by_it(inner, sagemaker):
    sagemaker.call("CreateTrialComponent", TrialComponentName="other")
    put(inner, value(4, "test:loss"), value(2, "test:loss"), value(9, "accuracy"))
    inner("sagemaker-metrics", "BatchPutMetrics", TrialComponentName="other", MetricData=[value(3, "test:loss")])
    assert found(sagemaker, ("Metrics.test:loss.Max", "GreaterThan", "3.5")) == ["Run"]
    assert found(sagemaker, ("metrics.test:loss.min", "LessThan", "2.5")) == ["Run"]
    everything = ("TrialComponentName", "NotEquals", "none")
    names = found(sagemaker, everything, SortBy="metrics.test:loss.max", SortOrder="Ascending")
    assert names == ["other", "Run"]


def test_components_are_found_by_their_parameters(sagemaker):
    for name, rate in (("slow", 0.1), ("fast", 0.9)):
        parameters = {"rate": {"NumberValue": rate}, "optimizer": {"StringValue": f"adam-{name}"}}
        places = {"data": {"MediaType": "text/csv", "Value": f"s3://data/{name}.csv"}}
        given = {"Parameters": parameters, "InputArtifacts": places}
        sagemaker.call("CreateTrialComponent", TrialComponentName=name, **given)
    assert found(sagemaker, ("Parameters.rate", "GreaterThan", "0.5")) == ["fast"]
    assert found(sagemaker, ("Parameters.rate", "GreaterThan", "0")) == ["fast", "slow"]
    assert found(sagemaker, ("Parameters.rate", "Equals", "0.1")) == ["slow"]
    assert found(sagemaker, ("parameters.rate", "Contains", "0.9")) == ["fast"]
    assert found(sagemaker, ("Parameters.optimizer", "Contains", "slow")) == ["slow"]
    assert found(sagemaker, ("InputArtifacts.data", "Equals", "s3://data/fast.csv")) == ["fast"]
    rates = found(sagemaker, ("Parameters.rate", "Exists", "0"), SortBy="Parameters.rate", SortOrder="Ascending")
    assert rates == ["slow", "fast"]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_a_summary_is_that_of_all_values(values):
    found = None
    for index, each in enumerate(values):
        found = joined(found, each, float(index))
    assert (found["count"], found["least"], found["most"], found["last"]) == (
        len(values),
        min(values),
        max(values),
        values[-1],
    )
    assert found["mean"] == pytest.approx(statistics.fmean(values), abs=1e-6)
    assert found["squares"] / len(values) == pytest.approx(statistics.pvariance(values), abs=1e-2, rel=1e-6)


def test_what_is_not_taken_is_told_by_its_place(inner, sagemaker):
    old, coming = value(1, ago=timedelta(days=15)), value(1, ago=-timedelta(days=1))  # of when this file was read
    answer = put(inner, old, value(2), coming, value(float("nan")), value(float("inf")))
    assert answer == {"Errors": [{"Code": "VALIDATION_ERROR", "MetricIndex": index} for index in (0, 2, 3, 4)]}
    assert metrics(sagemaker)["loss"]["Count"] == 1


def test_one_that_is_tried_again_counts_once(inner, sagemaker):
    inner.invocation_id = "killed before it could answer"
    for _ in range(2):
        put(inner, value(1))
    assert metrics(sagemaker)["loss"]["Count"] == 1


def test_a_component_that_is_not_there_is_refused(inner):
    asked = {"TrialComponentName": "none", "MetricData": [value(1)]}
    assert inner.refusal("sagemaker-metrics", "BatchPutMetrics", **asked)[0] == "ResourceNotFound"


def got(inner, statistic="Last", period="IterationNumber", axis="IterationNumber", arn=ARN, **more):
    query = {"MetricName": "loss", "ResourceArn": arn, "MetricStat": statistic, "Period": period, "XAxisType": axis}
    (result,) = inner("sagemaker-metrics", "BatchGetMetrics", MetricQueries=[{**query, **more}])["MetricQueryResults"]
    return result


def at_step(step, number, **more):
    return {**value(number, **more), "Step": step}


def test_values_are_given_back_by_step(inner, sagemaker):
    put(inner, at_step(2, 5), at_step(1, 8), value(100), at_step(1, 1, name="accuracy"))
    put(inner, at_step(2, 3, ago=timedelta(minutes=1)), at_step(3, 4))
    assert got(inner) == {"Status": "Complete", "XAxisValues": [1, 2, 3], "MetricValues": [8.0, 5.0, 4.0]}
    expected = {"Min": 3, "Max": 5, "Avg": 4, "Count": 2, "StdDev": 1, "Last": 5}
    assert {name: got(inner, name)["MetricValues"][1] for name in expected} == expected
    assert got(inner, Start=2, End=2)["XAxisValues"] == [2]
    assert got(inner, axis="Timestamp")["XAxisValues"] == [int(NOW.timestamp())] * 3


def test_values_are_given_back_by_time(inner, sagemaker):
    put(inner, value(1, ago=timedelta(hours=3)), value(4), value(2, ago=timedelta(hours=3)))
    found = got(inner, "Avg", "OneHour", "Timestamp")
    hour = int(NOW.timestamp()) // 3600 * 3600
    assert found == {"Status": "Complete", "XAxisValues": [hour - 3 * 3600, hour], "MetricValues": [1.5, 4.0]}
    assert got(inner, "Count", "OneMinute", "Timestamp", Start=hour)["MetricValues"] == [1.0]


def test_what_is_wrong_with_one_query_is_said_in_its_own_result(inner, sagemaker):
    put(inner, at_step(1, 1))
    for wrong in (got(inner, period="OneHour"), got(inner, arn=ARN + "-none"), got(inner, Start=2, End=1)):
        assert (wrong["Status"], wrong["XAxisValues"], wrong["MetricValues"]) == ("ValidationError", [], [])
        assert wrong["Message"]
    assert got(inner, MetricName="none")["XAxisValues"] == []


def test_more_points_than_an_answer_holds_are_cut_off(inner, sagemaker, monkeypatch):
    monkeypatch.setattr(getting, "_MOST_POINTS", 2)
    put(inner, *(at_step(step, step) for step in range(3)))
    assert got(inner) == {"Status": "Truncated", "XAxisValues": [0, 1], "MetricValues": [0.0, 1.0]}


def test_values_are_kept_once_and_go_with_their_component(inner, sagemaker):
    inner.invocation_id = "killed before it could answer"
    for _ in range(2):
        put(inner, at_step(1, 1))
    assert got(inner, "Count")["MetricValues"] == [1.0]
    sagemaker.call("DeleteTrialComponent", TrialComponentName="Run")
    assert inner.store.read.rows(KIND) == []
    sagemaker.call("CreateTrialComponent", TrialComponentName="Run")
    assert got(inner)["XAxisValues"] == []


def test_the_right_is_one_on_the_component(inner, sagemaker):
    inner.authorizer.needed.clear()
    put(inner, value(1))
    assert [(each.action, each.resource) for each in inner.authorizer.needed] == [("sagemaker:BatchPutMetrics", ARN)]
