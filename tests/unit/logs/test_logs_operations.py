"""CloudWatch Logs as its clients use it."""

from __future__ import annotations

import time

import pytest

from clary.telemetry.logfile import LogWriter
from clary.telemetry.paths import stream_file

JOBS = "/aws/sagemaker/TrainingJobs"


@pytest.fixture
def logs(inner):
    service = inner.service("logs")
    service.call("CreateLogGroup", logGroupName="g")
    service.call("CreateLogStream", logGroupName="g", logStreamName="s")
    return service


def now():
    return int(time.time() * 1000)


def put(logs, *messages, at=None, stream="s", group="g"):
    start = now() if at is None else at
    events = [{"timestamp": start + n, "message": message} for n, message in enumerate(messages)]
    return logs.call("PutLogEvents", logGroupName=group, logStreamName=stream, logEvents=events)


def get(logs, stream="s", group="g", **params):
    return logs.call("GetLogEvents", logGroupName=group, logStreamName=stream, **params)


def messages(answer):
    return [event["message"] for event in answer["events"]]


def test_groups_and_streams_are_there_once(logs):
    assert logs.refusal("CreateLogGroup", logGroupName="g")[0] == "ResourceAlreadyExistsException"
    assert logs.refusal("CreateLogStream", logGroupName="g", logStreamName="s")[0] == "ResourceAlreadyExistsException"
    assert logs.refusal("CreateLogStream", logGroupName="no", logStreamName="s") == (
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )
    assert logs.refusal("GetLogEvents", logGroupName="g", logStreamName="no") == (
        "ResourceNotFoundException",
        "The specified log stream does not exist.",
    )
    (stream,) = logs.call("DescribeLogStreams", logGroupIdentifier="g")["logStreams"]
    assert stream["logStreamName"] == "s"
    assert logs.refusal("DescribeLogStreams", logGroupName="g", logGroupIdentifier="g") == (
        "ValidationException",
        "LogGroup name and LogGroup ARN are mutually exclusive parameters.",
    )


def test_what_a_shim_writes_is_read_as_events(inner):
    logs = inner.service("logs")
    logs.call("CreateLogGroup", logGroupName=JOBS)
    logs.call("CreateLogStream", logGroupName=JOBS, logStreamName="job/algo-1-17")
    writer = LogWriter(stream_file(inner.settings.logs_dir, "000000000000", "us-east-1", JOBS, "job/algo-1-17"))
    writer.feed(b"one\ntwo\n", 5000)
    answer = get(logs, "job/algo-1-17", JOBS, startFromHead=True)
    assert answer["events"][0] == {"timestamp": 5000, "message": "one", "ingestionTime": 5000}
    writer.feed(b"three\n", 6000)
    assert messages(get(logs, "job/algo-1-17", JOBS, nextToken=answer["nextForwardToken"])) == ["three"]
    writer.close()


def test_putting_into_a_containers_stream_never_moves_what_its_shim_writes(inner):
    logs = inner.service("logs")
    logs.call("CreateLogGroup", logGroupName=JOBS)
    logs.call("CreateLogStream", logGroupName=JOBS, logStreamName="s")
    writer = LogWriter(stream_file(inner.settings.logs_dir, "000000000000", "us-east-1", JOBS, "s"))
    writer.feed(b"one\n")
    put(logs, "early", at=now() - 50_000, group=JOBS)
    writer.feed(b"two\n")
    writer.close()
    assert messages(get(logs, "s", JOBS, startFromHead=True)) == ["one", "early", "two"]


def test_pages_forward_end_with_the_token_that_was_given(logs):
    put(logs, *(f"m{n}" for n in range(25)))
    seen, token = [], None
    while True:
        given = {"nextToken": token} if token else {"startFromHead": True}
        answer = get(logs, limit=10, **given)
        seen += messages(answer)
        if answer["nextForwardToken"] == token:
            break
        token = answer["nextForwardToken"]
    assert seen == [f"m{n}" for n in range(25)]
    assert messages(answer) == []
    put(logs, "later", at=now() + 1000)
    assert messages(get(logs, nextToken=token)) == ["later"]


def test_without_a_token_the_newest_come_and_pages_go_back(logs):
    put(logs, *(f"m{n}" for n in range(25)))
    first = get(logs, limit=10)
    assert messages(first) == [f"m{n}" for n in range(15, 25)]
    second = get(logs, limit=10, nextToken=first["nextBackwardToken"])
    assert messages(second) == [f"m{n}" for n in range(5, 15)]
    third = get(logs, limit=10, nextToken=second["nextBackwardToken"])
    assert messages(third) == [f"m{n}" for n in range(5)]
    last = get(logs, limit=10, nextToken=third["nextBackwardToken"])
    assert (messages(last), last["nextBackwardToken"]) == ([], third["nextBackwardToken"])
    assert messages(get(logs, limit=10, nextToken=second["nextForwardToken"])) == messages(first)


def test_an_empty_stream_gives_tokens_that_go_on(logs):
    answer = get(logs, startFromHead=True)
    assert messages(answer) == []
    put(logs, "a")
    assert messages(get(logs, nextToken=answer["nextForwardToken"])) == ["a"]


def test_times_bound_a_page_start_inclusive_and_end_exclusive(logs):
    start = now() - 1000
    put(logs, *(f"m{n}" for n in range(10)), at=start)
    for head in (True, False):
        assert messages(get(logs, startTime=start + 3, endTime=start + 6, startFromHead=head)) == ["m3", "m4", "m5"]
    assert messages(get(logs, startTime=start + 100, startFromHead=True)) == []


def test_a_page_ends_before_a_mebibyte(logs):
    for n in range(6):
        put(logs, "x" * 200_000, at=now() + n)
    answer = get(logs, startFromHead=True)
    assert len(answer["events"]) == 5
    assert len(get(logs, nextToken=answer["nextForwardToken"])["events"]) == 1


@pytest.mark.parametrize("token", ["x", "f/1", "f/" + "x" * 56, "q/" + "0" * 56, "f/" + "9" * 56, "f/" + "²" * 56])
def test_tokens_that_were_never_given_are_refused_or_harmless(logs, token):
    put(logs, "a")
    if token == "f/" + "9" * 56:
        assert messages(get(logs, nextToken=token)) == []
    else:
        assert logs.refusal("GetLogEvents", logGroupName="g", logStreamName="s", nextToken=token) == (
            "InvalidParameterException",
            "The specified nextToken is invalid.",
        )


def test_batches_must_be_in_order_and_within_limits(logs):
    def refusal(*events):
        batch = [{"timestamp": at, "message": message} for at, message in events]
        return logs.refusal("PutLogEvents", logGroupName="g", logStreamName="s", logEvents=batch)[1]

    assert "chronological order" in refusal((now(), "a"), (now() - 5, "b"))
    assert "24 hours" in refusal((now() - 86_400_001, "a"), (now(), "b"))
    assert "Log event too large" in refusal((now(), "x" * 262_144))
    assert "Upload too large" in refusal(*[(now(), "x" * 200_000)] * 6)


def test_events_out_of_time_are_named_and_left_out(logs):
    day = 86_400_000
    old = put(logs, "old", at=now() - 15 * day)
    assert old["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    new = put(logs, "new", at=now() + 3 * 3_600_000)
    assert new["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 0}
    assert messages(get(logs)) == []
    assert "rejectedLogEventsInfo" not in put(logs, "fine")


def test_streams_are_listed_by_prefix_and_the_last_page_has_no_token(logs):
    for n in range(5):
        logs.call("CreateLogStream", logGroupName="g", logStreamName=f"job/algo-{n}")
    ask = lambda **params: logs.call("DescribeLogStreams", logGroupName="g", **params)  # noqa: E731
    first = ask(logStreamNamePrefix="job/", limit=3)
    second = ask(logStreamNamePrefix="job/", limit=3, nextToken=first["nextToken"])
    assert [s["logStreamName"] for s in first["logStreams"] + second["logStreams"]] == [
        f"job/algo-{n}" for n in range(5)
    ]
    assert "nextToken" not in second
    assert ask(logStreamNamePrefix="nothing")["logStreams"] == []
    assert logs.refusal("DescribeLogStreams", logGroupName="no")[0] == "ResourceNotFoundException"
    assert logs.refusal("DescribeLogStreams", logGroupName="g", nextToken="x")[0] == "InvalidParameterException"


def test_streams_are_listed_by_their_last_events(logs):
    for n in range(5):
        logs.call("CreateLogStream", logGroupName="g", logStreamName=f"t{n}")
        put(logs, "x", at=now() - 1000 + (n * 7) % 5, stream=f"t{n}")
    names, token = [], None
    while True:
        given = {"nextToken": token} if token else {}
        page = logs.call(
            "DescribeLogStreams", logGroupName="g", orderBy="LastEventTime", descending=True, limit=2, **given
        )
        names += [(s.get("lastEventTimestamp", 0), s["logStreamName"]) for s in page["logStreams"]]
        token = page.get("nextToken")
        if token is None:
            break
    assert names == sorted(names, reverse=True)
    assert len(names) == 6


def test_pages_by_last_event_go_on_where_a_stream_has_moved_meanwhile(logs):
    for n in range(3):
        logs.call("CreateLogStream", logGroupName="g", logStreamName=f"t{n}")
        put(logs, "x", at=now() - 1000 + n, stream=f"t{n}")
    asked = {"logGroupName": "g", "orderBy": "LastEventTime", "descending": True, "limit": 1}
    first = logs.call("DescribeLogStreams", **asked)
    put(logs, "y", at=now() - 500, stream="t2")
    second = logs.call("DescribeLogStreams", **asked, nextToken=first["nextToken"])
    shown = [page["logStreams"][0]["logStreamName"] for page in (first, second)]
    assert shown == ["t2", "t1"]


def test_groups_are_listed_with_their_retention_and_both_arns(logs):
    logs.call("CreateLogGroup", logGroupName="/aws/x", tags={"a": "b"})
    logs.call("PutRetentionPolicy", logGroupName="/aws/x", retentionInDays=7)
    [group] = logs.call("DescribeLogGroups", logGroupNamePrefix="/aws")["logGroups"]
    assert group["retentionInDays"] == 7
    assert group["arn"] == group["logGroupArn"] + ":*" == "arn:aws:logs:us-east-1:000000000000:log-group:/aws/x:*"
    assert logs.call("ListTagsForResource", resourceArn=group["logGroupArn"]) == {"tags": {"a": "b"}}
    logs.call("TagLogGroup", logGroupName="/aws/x", tags={"c": "d"})
    logs.call("UntagResource", resourceArn=group["logGroupArn"], tagKeys=["a"])
    assert logs.call("ListTagsLogGroup", logGroupName="/aws/x") == {"tags": {"c": "d"}}
    logs.call("DeleteRetentionPolicy", logGroupName="/aws/x")
    [group] = logs.call("DescribeLogGroups", logGroupNamePattern="ws/")["logGroups"]
    assert "retentionInDays" not in group
    assert len(logs.call("DescribeLogGroups")["logGroups"]) == 2
    assert logs.refusal("PutRetentionPolicy", logGroupName="g", retentionInDays=2)[0] == "InvalidParameterException"


def test_a_stream_that_goes_while_its_group_is_measured_counts_for_nothing(inner, logs):
    put(logs, "x" * 100)
    [group] = (path for path in inner.settings.logs_dir.iterdir() if path.is_dir())
    (group / "gone.log").symlink_to("nowhere")
    [shown] = logs.call("DescribeLogGroups")["logGroups"]
    assert shown["storedBytes"] > 100


def test_a_deleted_group_takes_its_streams_and_events_with_it(inner, logs):
    put(logs, "a")
    logs.call("DeleteLogGroup", logGroupName="g")
    logs.call("CreateLogGroup", logGroupName="g")
    assert logs.call("DescribeLogStreams", logGroupName="g")["logStreams"] == []
    logs.call("CreateLogStream", logGroupName="g", logStreamName="s")
    assert messages(get(logs)) == []


def test_a_deleted_stream_comes_back_empty(logs):
    put(logs, "a")
    logs.call("DeleteLogStream", logGroupName="g", logStreamName="s")
    logs.call("CreateLogStream", logGroupName="g", logStreamName="s")
    assert messages(get(logs)) == []


def found(logs, **params):
    return logs.call("FilterLogEvents", logGroupName="g", **params)


def test_filtering_merges_streams_by_time_and_pages_without_loss(logs):
    start = now() - 5000
    for name in ("a", "b", "c"):
        logs.call("CreateLogStream", logGroupName="g", logStreamName=name)
    for n in range(300):
        put(logs, f"{n} {'odd' if n % 2 else 'even'}", at=start + n // 3, stream="abc"[n % 3])
    seen, token, pages = [], None, 0
    while True:
        page = found(logs, limit=17, **({"nextToken": token} if token else {}))
        seen += [(e["timestamp"], e["logStreamName"], e["message"], e["eventId"]) for e in page["events"]]
        token, pages = page.get("nextToken"), pages + 1
        if token is None:
            break
    assert [s[2].split()[0] for s in seen] == [str(n) for n in range(300)]
    assert len({s[3] for s in seen}) == 300
    assert pages == 18


def test_filtering_by_pattern_time_and_streams(logs):
    start = now() - 5000
    logs.call("CreateLogStream", logGroupName="g", logStreamName="other")
    put(logs, "ERROR one", "WARN two", "ERROR exit three", 'say "hi there" four', at=start)
    put(logs, "ERROR elsewhere", at=start, stream="other")
    ask = lambda **params: [e["message"].split()[-1] for e in found(logs, **params)["events"]]  # noqa: E731
    assert ask(filterPattern="ERROR", logStreamNames=["s"]) == ["one", "three"]
    assert ask(filterPattern="ERROR -exit", logStreamNamePrefix="s") == ["one"]
    assert ask(filterPattern="?WARN ?exit") == ["two", "three"]
    assert ask(filterPattern='"hi there"') == ["four"]
    assert ask(filterPattern="", startTime=start + 1, endTime=start + 3) == ["two", "three", "four"]
    assert (
        logs.refusal("FilterLogEvents", logGroupName="g", filterPattern="{ $.a = }")[0] == "InvalidParameterException"
    )
    assert logs.refusal("FilterLogEvents", logGroupName="g", logStreamNames=["no"])[0] == "ResourceNotFoundException"
    assert logs.refusal("FilterLogEvents", logGroupName="g", nextToken="x")[0] == "InvalidParameterException"


def test_names_that_climb_stay_within_the_logs(inner, logs):
    logs.call("CreateLogGroup", logGroupName="../../..")
    logs.call("CreateLogStream", logGroupName="../../..", logStreamName="../../../../etc/passwd")
    put(logs, "x", stream="../../../../etc/passwd", group="../../..")
    assert all(inner.settings.logs_dir in path.parents for path in inner.settings.data_dir.rglob("*.log"))


def test_each_right_names_group_and_stream(inner, logs):
    get(logs)
    assert inner.authorizer.needed[-1].action == "logs:GetLogEvents"
    assert inner.authorizer.needed[-1].resource == "arn:aws:logs:us-east-1:000000000000:log-group:g:log-stream:s"
