"""What SEARCH finds among metrics."""

import pytest

from clary.metricmath import BadExpression, Graph, Series, parse
from clary.metricmath.search import Described, labels, search_of


def ec2(name, **dimensions):
    return Described("AWS/EC2", name, dimensions)


CPU = ec2("CPUUtilization", InstanceId="i-1")
DISK = ec2("DiskReadOps", InstanceId="i-2")
MICRO = ec2("CPUUtilization", InstanceType="t2.micro")
BOTH = ec2("CPUUtilization", InstanceId="i-1", InstanceType="t2.nano")
OTHER = Described("My space", "RequestCount", {"Load Balancer": "app/blue"})
BARE = Described("ns", "HTTPCode_Target_5XX", {})
ALL = {"cpu": CPU, "disk": DISK, "micro": MICRO, "both": BOTH, "other": OTHER, "bare": BARE}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('{AWS/EC2,InstanceId} MetricName="CPUUtilization"', "cpu"),
        ("{AWS/EC2,InstanceId}", "cpu disk"),
        ("{AWS/EC2, InstanceType, InstanceId}", "both"),
        ("{AWS/EC2}", "cpu disk micro both"),
        ('{"My space","Load Balancer"} requestcount', "other"),
        ("utilization", "cpu micro both"),
        ("cpu", "cpu micro both"),
        ("util", ""),
        ('"CPU"', ""),
        ("t2.micro", "micro"),
        ("InstanceType=micro", "micro"),
        ('InstanceType="t2.nano" OR disk', "disk both"),
        ("NOT Namespace=ec2", "other bare"),
        ("cpu NOT (micro OR nano)", "cpu"),
        ('cpu AND InstanceId=("i-1" OR "i-9")', "cpu both"),
        ('"Load Balancer"=blue', "other"),
        ("target 5XX", "bare"),
        ("MetricName=instanceid", ""),
        ("InstanceId", "cpu disk both"),
    ],
)
def test_what_is_found(text, names):
    search = search_of(text)
    assert [name for name, metric in ALL.items() if search.finds(metric)] == names.split()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the end is not expected"),
        ("{AWS/EC2", "the end is not expected"),
        ("cpu)", r"'\)' is not expected"),
        ("MetricName=", "the end is not expected"),
        ('"cpu', "double quotes must be closed"),
        ("cpu OR", "the end is not expected"),
        ("---", "is no search term"),
        (":aws.AccountId=1", "does not offer"),
        ("(" * 60 + "cpu", "at most 50 levels"),
        ("NOT " * 60 + "cpu", "at most 50 levels"),
        ("a" * 1025, "at most 1024 characters"),
    ],
)
def test_what_is_no_search(text, why):
    with pytest.raises(BadExpression, match=why):
        search_of(text)


def test_labels_say_what_differs():
    assert labels([CPU, BOTH]) == ["i-1", "i-1 t2.nano"]
    assert labels([CPU, DISK]) == ["CPUUtilization i-1", "DiskReadOps i-2"]
    assert labels([BARE]) == ["HTTPCode_Target_5XX"]


def graph(expression, find):
    return Graph({}, {"e": parse(expression)}, lambda step: range(0, 120, step), 60, find)


def test_what_is_found_is_an_array_of_series():
    asked = []

    def find(*words):
        asked.append(words)
        return [Series(60, {0: 1.0}, "a"), Series(60, {0: 3.0}, "b")]

    (total,) = graph("SUM(SEARCH('{ns} m', 'Average', 300))", find).series("e")
    assert total.points == {0: 4.0}
    assert len(graph("SEARCH('m', 'Sum')", find).series("e")) == 2
    assert asked == [("{ns} m", "Average", 300), ("m", "Sum", 60)]


def test_alarms_do_not_search_and_arguments_count():
    alarm = Graph({}, {"e": parse("SUM(SEARCH('m', 'Sum'))")}, lambda step: range(0, 60, step), 60)
    with pytest.raises(BadExpression, match="SEARCH is not supported on Metric Alarms"):
        alarm.value("e")
    for wrong in ("SEARCH('m')", "SEARCH('m', 'Sum', 60, 60)", "SEARCH(1, 'Sum')"):
        with pytest.raises(BadExpression, match="the arguments of SEARCH"):
            graph(wrong, lambda *_: ()).value("e")


def test_no_more_is_read_than_may_be_calculated(monkeypatch):
    monkeypatch.setattr("clary.metricmath.evaluation.MOST_CALCULATED", 3)
    read = []

    def find(*_):
        for label in "abcdef":
            read.append(label)
            yield Series(60, {0: 1.0, 60: 1.0}, label)

    with pytest.raises(BadExpression, match="more than 3 datapoints"):
        graph("SEARCH('m', 'Sum')", find).value("e")
    assert read == ["a", "b"]
