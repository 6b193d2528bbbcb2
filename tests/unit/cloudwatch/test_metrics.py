"""CloudWatch's metrics as its clients use them."""

from datetime import UTC, datetime, timedelta

import pytest

from clary.calls import Call
from clary.services.catalogue import REGISTRY

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
"""When this was read: the tests may come an hour later."""
JOB = [{"Name": "TrainingJobName", "Value": "job"}]


@pytest.fixture
def cloudwatch(inner):
    return inner.service("cloudwatch")


def put(cloudwatch, *data, namespace="ns"):
    cloudwatch.call("PutMetricData", Namespace=namespace, MetricData=list(data))


def datum(**members):
    return {"MetricName": "m", "Timestamp": NOW - timedelta(minutes=5), **members}


def statistics(cloudwatch, *names, period=60, minutes=10, **params):
    asked = {"Statistics": list(names)} if names else {}
    answer = cloudwatch.call(
        "GetMetricStatistics",
        Namespace="ns",
        MetricName="m",
        StartTime=NOW - timedelta(minutes=minutes),
        EndTime=NOW + timedelta(hours=6),
        Period=period,
        **asked,
        **params,
    )
    return answer["Datapoints"]


def test_every_form_of_values_counts(cloudwatch):
    put(
        cloudwatch,
        datum(Value=1.0),
        datum(Values=[2.0, 3.0], Counts=[2.0, 1.0]),
        datum(StatisticValues={"SampleCount": 2.0, "Sum": 10.0, "Minimum": 4.0, "Maximum": 6.0}),
    )
    (point,) = statistics(cloudwatch, "SampleCount", "Sum", "Minimum", "Maximum", "Average")
    assert point == {
        "Timestamp": NOW - timedelta(minutes=5),
        "Unit": "None",
        "SampleCount": 6.0,
        "Sum": 18.0,
        "Minimum": 1.0,
        "Maximum": 6.0,
        "Average": 3.0,
    }


def test_percentiles_need_values(cloudwatch):
    put(cloudwatch, datum(Values=[float(n) for n in range(1, 101)]))
    (point,) = statistics(cloudwatch, ExtendedStatistics=["p50", "p99", "p99.5"])
    assert point["ExtendedStatistics"] == {"p50": 50.0, "p99": 99.0, "p99.5": 100.0}
    put(cloudwatch, datum(StatisticValues={"SampleCount": 2.0, "Sum": 10.0, "Minimum": 4.0, "Maximum": 6.0}))
    assert statistics(cloudwatch, ExtendedStatistics=["p50"])[0]["ExtendedStatistics"] == {}


def test_what_is_put_without_a_time_is_of_now(cloudwatch):
    put(cloudwatch, {"MetricName": "m", "Value": 2.5, "Unit": "Seconds"})
    (point,) = statistics(cloudwatch, "Average", Unit="Seconds")
    assert point["Average"] == 2.5
    assert statistics(cloudwatch, "Average", Unit="Bytes") == []


def test_metrics_are_listed_by_namespace_name_and_dimension(cloudwatch):
    put(cloudwatch, datum(Value=1.0, Dimensions=JOB))
    put(cloudwatch, datum(Value=1.0), namespace="other")
    listed = cloudwatch.call("ListMetrics", Namespace="ns")["Metrics"]
    assert listed == [{"Namespace": "ns", "MetricName": "m", "Dimensions": JOB}]
    assert cloudwatch.call("ListMetrics", Dimensions=[{"Name": "TrainingJobName"}])["Metrics"] == listed
    assert cloudwatch.call("ListMetrics", Dimensions=[{"Name": "No"}])["Metrics"] == []
    assert len(cloudwatch.call("ListMetrics", RecentlyActive="PT3H")["Metrics"]) == 2


def test_more_metrics_than_a_page_holds_come_with_a_token(cloudwatch):
    put(cloudwatch, *(datum(MetricName=f"m{n}", Value=1.0) for n in range(600)))
    first = cloudwatch.call("ListMetrics")
    second = cloudwatch.call("ListMetrics", NextToken=first["NextToken"])
    assert (len(first["Metrics"]), len(second["Metrics"]), "NextToken" in second) == (500, 100, False)
    assert cloudwatch.refusal("ListMetrics", NextToken="x")[0] == "InvalidParameterValue"


def query(name="q", stat="Average", **params):
    metric = {"Namespace": "ns", "MetricName": "m"}
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}, **params}


def data(cloudwatch, *queries, **params):
    start, end = NOW - timedelta(minutes=10), NOW + timedelta(minutes=1)
    return cloudwatch.call("GetMetricData", MetricDataQueries=list(queries), StartTime=start, EndTime=end, **params)


def test_data_of_several_queries_comes_newest_first(cloudwatch):
    put(cloudwatch, *(datum(Value=float(n), Timestamp=NOW - timedelta(minutes=n)) for n in range(1, 4)))
    answer = data(cloudwatch, query("a"), query("b", "p90", Label="B"), query("c", ReturnData=False))
    a, b = answer["MetricDataResults"]
    assert (a["Id"], a["Label"], a["Values"], a["StatusCode"]) == ("a", "m", [1.0, 2.0, 3.0], "Complete")
    assert (b["Label"], b["Timestamps"][0]) == ("B", NOW - timedelta(minutes=1))
    assert data(cloudwatch, query(), ScanBy="TimestampAscending")["MetricDataResults"][0]["Values"] == [3.0, 2.0, 1.0]


def test_data_comes_in_pages(cloudwatch):
    put(cloudwatch, *(datum(Value=float(n), Timestamp=NOW - timedelta(minutes=n)) for n in range(1, 6)))
    seen, token = {"a": [], "b": []}, None
    while True:
        answer = data(cloudwatch, query("a"), query("b"), MaxDatapoints=4, **({"NextToken": token} if token else {}))
        for result in answer["MetricDataResults"]:
            seen[result["Id"]] += result["Values"]
        token = answer.get("NextToken")
        if token is None:
            break
    assert seen == {"a": [1.0, 2.0, 3.0, 4.0, 5.0], "b": [1.0, 2.0, 3.0, 4.0, 5.0]}


# "The collection … must not have a size greater than …" and the text on 1,440 datapoints are AWS's own, quoted in many
# public issues; for the others no public source shows the text, only the code.
@pytest.mark.parametrize(
    ("members", "code", "text"),
    [
        ({}, "MissingParameter", "MetricData.member.1.Value"),
        ({"Value": float("nan")}, "InvalidParameterValue", "MetricData.member.1.Value is invalid"),
        ({"Value": 2.0**361}, "InvalidParameterValue", "MetricData.member.1.Value is invalid"),
        ({"Value": 1.0, "Values": [1.0]}, "InvalidParameterCombination", "mutually exclusive"),
        ({"Values": [1.0] * 151}, "InvalidParameterValue", "must not have a size greater than 150."),
        ({"Values": [1.0], "Counts": [1.0, 2.0]}, "InvalidParameterValue", "of the same size"),
        ({"Values": [1.0], "Counts": [0.0]}, "InvalidParameterValue", "Counts is invalid"),
        ({"Value": 1.0, "StorageResolution": 5}, "InvalidParameterValue", "StorageResolution"),
        ({"Value": 1.0, "Timestamp": NOW - timedelta(days=15)}, "InvalidParameterValue", "two weeks in the past"),
        ({"Value": 1.0, "Timestamp": NOW + timedelta(hours=12)}, "InvalidParameterValue", "two hours in the future"),
        ({"Value": 1.0, "Unit": "Apples"}, "ValidationException", "enum value set"),
    ],
)
def test_data_that_is_refused(cloudwatch, members, code, text):
    found, message = cloudwatch.refusal("PutMetricData", Namespace="ns", MetricData=[datum(**members)])
    assert found == code
    assert text in message
    assert cloudwatch.call("ListMetrics")["Metrics"] == []


def test_a_call_has_at_most_a_thousand_data(cloudwatch):
    given = [datum(Value=1.0)] * 1001
    assert cloudwatch.refusal("PutMetricData", Namespace="ns", MetricData=given) == (
        "InvalidParameterValue",
        "The collection MetricData must not have a size greater than 1000.",
    )


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "InvalidParameterCombination"),
        ({"Statistics": ["Sum"], "ExtendedStatistics": ["p1"]}, "InvalidParameterCombination"),
        ({"ExtendedStatistics": ["xx99"]}, "InvalidParameterValue"),
        ({"Statistics": ["Sum"], "Period": 45}, "InvalidParameterValue"),
        ({"Statistics": ["Sum"], "EndTime": NOW - timedelta(days=9)}, "InvalidParameterValue"),
        ({"Statistics": ["Sum"], "StartTime": NOW - timedelta(days=2)}, "InvalidParameterCombination"),
    ],
)
def test_statistics_that_are_refused(cloudwatch, params, code):
    asked = {"StartTime": NOW - timedelta(hours=1), "EndTime": NOW, "Period": 60, **params}
    assert cloudwatch.refusal("GetMetricStatistics", Namespace="ns", MetricName="m", **asked)[0] == code


def test_data_that_end_before_they_start_are_refused(cloudwatch):
    for end in (NOW, NOW - timedelta(minutes=1)):
        asked = {"MetricDataQueries": [query()], "StartTime": NOW, "EndTime": end}
        text = "The parameter EndTime must be greater than StartTime."
        assert cloudwatch.refusal("GetMetricData", **asked) == ("ValidationError", text)


def test_expressions_are_calculated_from_metrics(cloudwatch):
    put(cloudwatch, datum(Value=2.0), datum(Value=4.0), datum(MetricName="n", Value=12.0))
    other = {"Metric": {"Namespace": "ns", "MetricName": "n"}, "Period": 60, "Stat": "Sum"}
    (rate, both, each) = data(
        cloudwatch,
        query("a", "Sum", ReturnData=False),
        {"Id": "b", "MetricStat": other, "ReturnData": False},
        {"Id": "rate", "Expression": "100 * a / b"},
        {"Id": "both", "Expression": "METRICS() + rate", "Label": "and"},
    )["MetricDataResults"]
    assert (rate["Id"], rate["Label"], rate["Values"]) == ("rate", "rate", [50.0])
    assert rate["Timestamps"] == [NOW - timedelta(minutes=5)]
    assert [(found["Id"], found["Label"], found["Values"]) for found in (both, each)] == [
        ("both", "and m", [56.0]),
        ("both", "and n", [62.0]),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        [query("Q")],
        [query("a"), query("a")],
        [{"Id": "e", "Expression": "SUM(METRICS()"}],
        [{"Id": "e", "Expression": "SELECT AVG(m) FROM ns"}],
        [query("a"), {"Id": "e", "Expression": "AVG(a)"}],
        [{"Id": "e", "Expression": "gone * 2"}],
        [{"Id": "e"}],
        [query(stat="xx99")],
    ],
)
def test_queries_that_are_refused(cloudwatch, bad):
    asked = {"MetricDataQueries": bad, "StartTime": NOW - timedelta(hours=1), "EndTime": NOW}
    assert cloudwatch.refusal("GetMetricData", **asked)[0] == "ValidationError"


def test_a_right_may_be_bound_to_a_namespace(inner):
    call = Call(inner.principal, "cloudwatch", "PutMetricData", {"Namespace": "ns"}, "us-east-1")
    (needed,) = REGISTRY.services["cloudwatch"].access(call)
    assert (needed.action, needed.resource) == ("cloudwatch:PutMetricData", "*")
    assert needed.context == {"cloudwatch:namespace": "ns"}


def test_values_and_their_statistics_may_come_together(cloudwatch):
    known = {"SampleCount": 2.0, "Sum": 10.0, "Minimum": 4.0, "Maximum": 6.0}
    put(cloudwatch, datum(Values=[1.0, 2.0], StatisticValues=known))
    (point,) = statistics(cloudwatch, "SampleCount", "Sum", "Minimum", "Maximum")
    assert (point["SampleCount"], point["Sum"], point["Minimum"], point["Maximum"]) == (4.0, 13.0, 1.0, 6.0)


@pytest.mark.parametrize(
    ("asked", "labels"),
    [
        ([("Sum", 60), ("Minimum", 30)], ["m Sum 60", "m Minimum 30"]),
        ([("Sum", 60), ("Minimum", 60)], ["m Sum", "m Minimum"]),
        ([("Sum", 60), ("Sum", 30)], ["m 60", "m 30"]),
        ([("Sum", 60)], ["m"]),
    ],
)
def test_labels_say_what_differs_and_minutes_count_in_shorter_periods(cloudwatch, asked, labels):
    """As AWS's recorded answers have them."""
    put(cloudwatch, datum(Value=7.0))
    metric = {"Namespace": "ns", "MetricName": "m"}
    queries = [
        {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}
        for number, (stat, period) in enumerate(asked)
    ]
    start, end = NOW - timedelta(minutes=10), NOW + timedelta(minutes=1)
    answer = cloudwatch.call("GetMetricData", MetricDataQueries=queries, StartTime=start, EndTime=end)
    assert [(each["Label"], each["Values"]) for each in answer["MetricDataResults"]] == [
        (each, [7.0]) for each in labels
    ]


def test_metrics_are_searched_for(cloudwatch):
    for name, job, value in (("loss", "a", 1.0), ("loss", "b", 3.0), ("accuracy", "a", 9.0)):
        put(cloudwatch, datum(MetricName=name, Value=value, Dimensions=[{"Name": "Job", "Value": job}]))
    put(cloudwatch, datum(MetricName="loss", Value=50.0), namespace="elsewhere")

    def found(expression, **more):
        start, end = NOW - timedelta(minutes=10), NOW + timedelta(hours=6)
        query = {"Id": "e", "Expression": expression, "Period": 60, **more}
        answer = cloudwatch.call("GetMetricData", MetricDataQueries=[query], StartTime=start, EndTime=end)
        return [(each["Label"], each["Values"]) for each in answer["MetricDataResults"]]

    assert found("SEARCH('{ns,Job} MetricName=\"loss\"', 'Average')") == [("a", [1.0]), ("b", [3.0])]
    assert found("SEARCH('{ns,Job} Job=a', 'Average')", Label="run") == [
        ("run accuracy a", [9.0]),
        ("run loss a", [1.0]),
    ]
    assert found("SEARCH('{ns,Job} loss b', 'Sum')") == [("b", [3.0])]
    assert found("SUM(SEARCH('{ns,Job} loss', 'Sum'))") == [("e", [4.0])]
    assert found("SEARCH('{ns,Job} none', 'Sum')") == []
    start, end = NOW - timedelta(minutes=10), NOW
    for wrong in ("SEARCH('{ns', 'Sum')", "SEARCH('m', 'Most')", "SEARCH('m', 'Sum', 61)"):
        queries = [{"Id": "e", "Expression": wrong}]
        code, text = cloudwatch.refusal("GetMetricData", MetricDataQueries=queries, StartTime=start, EndTime=end)
        assert code == "ValidationError"
        assert text.startswith("Error in expression 'e': ")
