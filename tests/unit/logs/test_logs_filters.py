"""Metric filters and subscription filters as their clients use them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from clary.controllers.log_groups import GROUP_KIND, LogGroupController
from clary.store.rows import Key
from clary.telemetry.logfile import LogReader, LogWriter
from clary.telemetry.paths import stream_file

ACCOUNT, REGION = "000000000000", "us-east-1"
JOBS = "/aws/sagemaker/TrainingJobs"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"


@pytest.fixture
def logs(inner):
    service = inner.service("logs")
    service.call("CreateLogGroup", logGroupName="g")
    service.call("CreateLogStream", logGroupName="g", logStreamName="s")
    return service


def put(logs, *messages):
    at = int(time.time() * 1000)
    events = [{"timestamp": at, "message": message} for message in messages]
    logs.call("PutLogEvents", logGroupName="g", logStreamName="s", logEvents=events)


def put_filter(logs, pattern, name="f", group="g", **transformation):
    told = {"metricName": "m", "metricNamespace": "ns", "metricValue": "1", **transformation}
    logs.call("PutMetricFilter", logGroupName=group, filterName=name, filterPattern=pattern,
              metricTransformations=[told])  # fmt: skip


def statistics(inner, *dimensions, name="m"):
    now = datetime.now(UTC)
    points = inner("cloudwatch", "GetMetricStatistics", Namespace="ns", MetricName=name, Period=86400,
                   StartTime=now - timedelta(hours=1), EndTime=now + timedelta(hours=1),
                   Statistics=["Sum", "SampleCount"],
                   Dimensions=[{"Name": key, "Value": value} for key, value in dimensions])["Datapoints"]  # fmt: skip
    return [(point["Sum"], point["SampleCount"], point["Unit"]) for point in points]


def test_what_matches_is_counted_when_it_is_put(inner, logs):
    put(logs, "ERROR before the filter")
    put_filter(logs, "ERROR", unit="Count")
    put(logs, "ERROR one", "fine", "ERROR two")
    assert statistics(inner) == [(2.0, 2.0, "Count")]


def test_values_and_dimensions_come_from_events(inner, logs):
    put_filter(logs, "{ $.ms > 0 }", metricValue="$.ms", dimensions={"Path": "$.path"})
    put(logs, '{"ms":5,"path":"/a"}', '{"ms":7,"path":"/a"}', '{"ms":1,"path":"/b"}', '{"ms":9}', '{"ms":"x"}')
    assert statistics(inner, ("Path", "/a")) == [(12.0, 2.0, "None")]
    assert statistics(inner, ("Path", "/b")) == [(1.0, 1.0, "None")]
    assert statistics(inner) == []


def test_a_default_value_stands_for_minutes_without_a_match(inner, logs):
    put_filter(logs, "ERROR", defaultValue=0.0)
    put(logs, "fine", "fine")
    assert statistics(inner) == [(0.0, 1.0, "None")]


def test_filters_are_described_and_deleted(logs):
    put_filter(logs, "a", "one")
    put_filter(logs, "b", "two", metricName="other")
    put_filter(logs, "c", "two", metricName="other")
    described = logs.call("DescribeMetricFilters", logGroupName="g", filterNamePrefix="t")["metricFilters"]
    assert [(each["filterName"], each["filterPattern"], each["logGroupName"]) for each in described] == [
        ("two", "c", "g")
    ]
    (only,) = logs.call("DescribeMetricFilters", metricName="m", metricNamespace="ns")["metricFilters"]
    assert only["filterName"] == "one"
    assert logs.call("DescribeLogGroups")["logGroups"][0]["metricFilterCount"] == 2
    first = logs.call("DescribeMetricFilters", limit=1)
    assert [each["filterName"] for each in first["metricFilters"]] == ["one"]
    (second,) = logs.call("DescribeMetricFilters", nextToken=first["nextToken"])["metricFilters"]
    assert second["filterName"] == "two"
    logs.call("DeleteMetricFilter", logGroupName="g", filterName="one")
    refused = logs.refusal("DeleteMetricFilter", logGroupName="g", filterName="one")
    assert refused == ("ResourceNotFoundException", "The specified metric filter does not exist.")
    logs.call("DeleteLogGroup", logGroupName="g")
    assert logs.call("DescribeMetricFilters") == {"metricFilters": []}


BAD = (
    ("{ $.a = ", {}),
    ("ERROR", {"metricValue": "$.a"}),
    ("[a, b]", {"metricValue": "$c"}),
    ("{ $.a = 1 }", {"metricValue": "word"}),
    ("{ $.a = 1 }", {"dimensions": {"D": "$.d"}, "defaultValue": 0.0}),
    ("{ $.a = 1 }", {"dimensions": dict.fromkeys("abcd", "$.d")}),
)


def test_filters_that_could_not_work_are_refused(logs):
    for pattern, transformation in BAD:
        told = [{"metricName": "m", "metricNamespace": "ns", "metricValue": "1", **transformation}]
        asked = {"logGroupName": "g", "filterName": "f", "filterPattern": pattern, "metricTransformations": told}
        assert logs.refusal("PutMetricFilter", **asked)[0] == "InvalidParameterException", pattern


def test_a_pattern_can_be_tried(logs):
    messages = ["127.0.0.1 frank 404", "127.0.0.1 frank 200"]
    answer = logs.call("TestMetricFilter", filterPattern="[ip, user, code = 4*]", logEventMessages=messages)
    assert answer["matches"] == [
        {
            "eventNumber": 1,
            "eventMessage": messages[0],
            "extractedValues": {"$ip": "127.0.0.1", "$user": "frank", "$code": "404"},
        }
    ]


UNKNOWN = (
    ("arn:aws:kinesis:us-east-1:000000000000:stream/s", "destinationArn for vendor kinesis cannot be used without"),
    ("arn:aws:sqs:us-east-1:000000000000:q", "to Lambda functions only, not to sqs"),
    ("arn:aws:lambda:us-east-1:111111111111:function:f", "Cross-account lambda invocation"),
    ("nothing", "Invalid destination ARN"),
)


def test_destinations_that_are_no_function_of_the_account_are_refused(logs):
    for arn, said in UNKNOWN:
        asked = {"logGroupName": "g", "filterName": "f", "filterPattern": "", "destinationArn": arn}
        assert said in logs.refusal("PutSubscriptionFilter", **asked)[1]


class Calls:
    """Takes calls in, and carries metrics out."""

    def __init__(self, inner):
        self._inner = inner
        self.seen = []

    def __call__(self, call):
        self.seen.append(call.operation)
        return self._inner.door(call)


@pytest.fixture
def container(inner):
    """A stream that a container writes, and what follows it."""
    logs = inner.service("logs")
    logs.call("CreateLogGroup", logGroupName=JOBS)
    logs.call("CreateLogStream", logGroupName=JOBS, logStreamName="job/algo-1")
    return LogWriter(stream_file(inner.settings.logs_dir, ACCOUNT, REGION, JOBS, "job/algo-1"))


def controller(inner):
    return LogGroupController(inner.settings, inner.store, Calls(inner))


def test_what_a_container_writes_is_followed_and_never_counted_twice(inner, container):
    put_filter(inner.service("logs"), "loss", group=JOBS)
    key = Key(GROUP_KIND, ACCOUNT, REGION, JOBS)
    following = controller(inner)
    assert following.reconcile(key) is not None
    container.feed(b"loss 1\nfine\nloss 2\n")
    following.reconcile(key)
    following.reconcile(key)
    assert statistics(inner) == [(2.0, 2.0, "None")]
    container.feed(b"loss 3\n")
    controller(inner).reconcile(key)  # control was started anew
    assert statistics(inner) == [(3.0, 3.0, "None")]
    container.close()


def test_what_was_written_before_a_filter_is_none_of_its(inner, container):
    container.feed(b"loss 1\n", 1000)
    put_filter(inner.service("logs"), "loss", group=JOBS)
    controller(inner).reconcile(Key(GROUP_KIND, ACCOUNT, REGION, JOBS))
    assert statistics(inner) == []
    container.close()


def test_groups_without_filters_and_retention_are_not_looked_at_again(inner, logs):
    assert controller(inner).reconcile(Key(GROUP_KIND, ACCOUNT, REGION, "g")) is None
    assert controller(inner).reconcile(Key(GROUP_KIND, ACCOUNT, REGION, "gone")) is None


def test_what_has_expired_is_not_shown_and_then_not_there(inner, logs):
    now, day = int(time.time() * 1000), 86_400_000
    old = [{"timestamp": now - 3 * day, "message": "old"}]
    logs.call("PutLogEvents", logGroupName="g", logStreamName="s", logEvents=old)
    put(logs, "new")
    logs.call("PutRetentionPolicy", logGroupName="g", retentionInDays=1)
    file = stream_file(inner.settings.logs_dir, ACCOUNT, REGION, "g", "s")
    for operation, more in (("GetLogEvents", {"logStreamName": "s", "startFromHead": True}), ("FilterLogEvents", {})):
        shown = logs.call(operation, logGroupName="g", **more)["events"]
        assert [event["message"] for event in shown] == ["new"]
    assert [event.message for event in LogReader(file).forward()] == ["old", "new"]
    assert controller(inner).reconcile(Key(GROUP_KIND, ACCOUNT, REGION, "g")) > 0
    assert [event.message for event in LogReader(file).forward()] == ["new"]


def test_a_containers_file_is_emptied_only_as_a_whole(inner, container):
    logs = inner.service("logs")
    now, day = int(time.time() * 1000), 86_400_000
    container.feed(b"old\n", now - 3 * day)
    logs.call("PutRetentionPolicy", logGroupName=JOBS, retentionInDays=1)
    key, file = (
        Key(GROUP_KIND, ACCOUNT, REGION, JOBS),
        stream_file(inner.settings.logs_dir, ACCOUNT, REGION, JOBS, "job/algo-1"),
    )
    controller(inner).reconcile(key)
    assert file.stat().st_size == 0
    container.feed(b"older\n", now - 2 * day)
    container.feed(b"new\n", now)
    controller(inner).reconcile(key)
    assert [event.message for event in LogReader(file).forward()] == ["older", "new"]
    container.close()
