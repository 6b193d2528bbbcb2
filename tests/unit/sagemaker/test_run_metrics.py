"""Metrics of runs: summed up as they come, by whoever sends them."""

from __future__ import annotations

import statistics
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.services.sagemaker.component_metrics import joined

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
    old, coming = value(1, ago=timedelta(days=15)), value(1, ago=-timedelta(hours=3))
    answer = put(inner, old, value(2), coming, value(float("nan")), value(float("inf")))
    assert answer == {"Errors": [{"Code": "VALIDATION_ERROR", "MetricIndex": index} for index in (0, 2, 3, 4)]}
    assert metrics(sagemaker)["loss"]["Count"] == 1


def test_one_that_is_tried_again_counts_once(inner, sagemaker):
    inner.invocation_id = "killed before it could answer"
    for _ in range(2):
        put(inner, value(1))
    assert metrics(sagemaker)["loss"]["Count"] == 1


def test_a_component_that_is_not_there_and_single_values_are_refused(inner):
    asked = {"TrialComponentName": "none", "MetricData": [value(1)]}
    assert inner.refusal("sagemaker-metrics", "BatchPutMetrics", **asked)[0] == "ResourceNotFound"
    query = {"MetricName": "loss", "ResourceArn": ARN, "MetricStat": "Last", "Period": "OneHour"}
    query["XAxisType"] = "Timestamp"
    assert "no single values" in inner.refusal("sagemaker-metrics", "BatchGetMetrics", MetricQueries=[query])[1]


def test_the_right_is_one_on_the_component(inner, sagemaker):
    inner.authorizer.needed.clear()
    put(inner, value(1))
    assert [(each.action, each.resource) for each in inner.authorizer.needed] == [("sagemaker:BatchPutMetrics", ARN)]
