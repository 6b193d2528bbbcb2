"""CloudWatch Logs of a started Clary: filters, queries and exports are carried out, and outlive control."""

from __future__ import annotations

import gzip
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.running import RunningClary, unless_away, wait_until
from tests.system.functions import Functions

pytestmark = [pytest.mark.system]

SECONDS = 120.0

TELL = """\
import base64, gzip, json
def handler(event, context):
    print("told", json.dumps(json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))))
"""

COUNT = """\
def handler(event, context):
    print("took", event["ms"], "ms")
"""


@pytest.fixture(scope="module")
def clary(shared: RunningClary) -> RunningClary:
    return shared


@pytest.fixture(scope="module")
def logs(clary: RunningClary) -> Any:
    return clary.client("logs")


@pytest.fixture(scope="module")
def functions(clary: RunningClary) -> Functions:
    return Functions(clary)


def made(logs: Any, group: str) -> str:
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    return group


def put(logs: Any, group: str, *messages: str) -> int:
    start = int(time.time() * 1000) - len(messages)
    events = [{"timestamp": start + n, "message": message} for n, message in enumerate(messages)]
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
    return start


def asked(logs: Any, group: str, query: str, **more: Any) -> Any:
    now = int(time.time())
    asked = {"logGroupName": group, "startTime": now - 3600, "endTime": now + 60, "queryString": query, **more}
    return logs.start_query(**asked)["queryId"]


def answered(logs: Any, query: str) -> Any:
    answer: Any = {}

    def over() -> bool:
        answer.update(logs.get_query_results(queryId=query))
        return answer["status"] not in ("Scheduled", "Running")

    wait_until(over, SECONDS, f"query {query} is over")
    return answer


def rows(answer: Any) -> list[dict[str, str]]:
    return [{cell["field"]: cell["value"] for cell in row if cell["field"] != "@ptr"} for row in answer["results"]]


def printed(logs: Any, function: str, begins: str) -> Any:
    """What a function has printed behind `begins`, as JSON."""
    found: list[str] = []

    def there() -> bool:
        try:
            events = logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return False
        found[:] = [event["message"] for event in events if event["message"].startswith(begins)]
        return bool(found)

    wait_until(there, SECONDS, f"{function} has printed {begins!r}")
    return json.loads(found[0].removeprefix(begins))


def total(clary: RunningClary, namespace: str, metric: str) -> float:
    now = datetime.now(UTC)
    found = clary.client("cloudwatch").get_metric_statistics(
        Namespace=namespace, MetricName=metric, StartTime=now - timedelta(hours=1), EndTime=now + timedelta(hours=1),
        Period=3600, Statistics=["Sum"],
    )["Datapoints"]  # fmt: skip
    return sum(point["Sum"] for point in found)


def test_a_query_is_carried_out(logs: Any) -> None:
    group = made(logs, "asked")
    put(logs, group, '{"level":"ERROR","ms":5}', '{"level":"INFO","ms":7}', '{"level":"ERROR","ms":9}')
    query = asked(logs, group, "filter level = 'ERROR' | stats count(*) as n, sum(ms) as total by level")
    answer = answered(logs, query)
    assert (answer["status"], rows(answer)) == ("Complete", [{"level": "ERROR", "n": "2", "total": "14"}])
    assert (answer["statistics"]["recordsMatched"], answer["statistics"]["recordsScanned"]) == (2.0, 3.0)
    newest = rows(answered(logs, asked(logs, group, "fields ms | limit 2")))
    assert newest == [{"ms": "9"}, {"ms": "7"}]
    pointer = logs.get_query_results(queryId=asked_pointer(logs, group))["results"][0][-1]["value"]
    assert logs.get_log_record(logRecordPointer=pointer)["logRecord"]["ms"] == "9"


def asked_pointer(logs: Any, group: str) -> str:
    query: str = asked(logs, group, "fields @message | limit 1")
    answered(logs, query)
    return query


def test_an_expression_that_takes_for_ever_is_stopped_with_its_query(logs: Any) -> None:
    group = made(logs, "slow")
    put(logs, group, "a" * 60 + "!")
    query = asked(logs, group, r"filter @message like /^(a+)+$/")
    wait_until(lambda: logs.get_query_results(queryId=query)["status"] == "Running", SECONDS, "it runs")
    assert logs.stop_query(queryId=query)["success"]
    with pytest.raises(ClientError) as refused:  # though what carries it out may be about to end
        logs.stop_query(queryId=query)
    assert answered(logs, query)["status"] == "Cancelled"
    assert refused.value.response["Error"]["Code"] == "InvalidParameterException"


def test_a_query_that_control_was_killed_in_is_begun_anew(clary: RunningClary, logs: Any) -> None:
    group = made(logs, "killed")
    put(logs, group, *(f"line {n}" for n in range(100)))
    done = asked(logs, group, "stats max(@message) as last")
    answered(logs, done)
    query = asked(logs, group, "stats count(*) as n")
    clary.kill("control")
    wait_until(lambda: unless_away(logs.describe_log_groups), SECONDS, "control is back")
    assert rows(answered(logs, query)) == [{"n": "100"}]
    assert rows(logs.get_query_results(queryId=done)) == [{"last": "line 99"}]


def test_a_live_tail_shows_what_comes_and_nothing_before(clary: RunningClary, logs: Any) -> None:
    group = made(logs, "live/tail")
    put(logs, group, "before")
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}"
    tails = clary.client("logs")
    tails.meta.events.register("before-sign", at_the_host)
    for wrong in ({"logGroupIdentifiers": [arn + "-2"]}, {"logGroupIdentifiers": [arn], "logEventFilterPattern": "{"}):
        with pytest.raises(ClientError):
            tails.start_live_tail(**wrong)
    stream = tails.start_live_tail(logGroupIdentifiers=[arn], logEventFilterPattern="-dull")["responseStream"]
    events = iter(stream)
    began = next(events)["sessionStart"]
    assert (began["logGroupIdentifiers"], began["logEventFilterPattern"]) == ([f"000000000000:{group}"], "-dull")
    put(logs, group, "dull", "bright")
    logs.create_log_stream(logGroupName=group, logStreamName="later")
    now = int(time.time() * 1000)
    logs.put_log_events(
        logGroupName=group, logStreamName="later", logEvents=[{"timestamp": now, "message": "elsewhere"}]
    )
    seen: list[Any] = []
    while len(seen) < 2:
        update = next(events)["sessionUpdate"]
        assert update["sessionMetadata"] == {"sampled": False}
        seen += update["sessionResults"]
    assert {event["message"] for event in seen} == {"bright", "elsewhere"}
    [later] = [event for event in seen if event["message"] == "elsewhere"]
    assert (later["logStreamName"], later["logGroupIdentifier"], later["timestamp"]) == (
        "later",
        f"000000000000:{group}",
        now,
    )
    stream.close()


def at_the_host(request: Any, **_: Any) -> None:
    """`stream-` before the host is a name that nobody resolves here."""
    request.url = request.url.replace("//stream-", "//")


def test_a_function_is_handed_what_matches(clary: RunningClary, logs: Any, functions: Functions) -> None:
    group = made(logs, "handed")
    arn = functions.create("told", TELL)["FunctionArn"]
    clary.client("lambda").get_waiter("function_active_v2").wait(FunctionName="told")
    refused = {"logGroupName": group, "filterName": "f", "filterPattern": "ERROR", "destinationArn": arn}
    with pytest.raises(ClientError) as no:
        logs.put_subscription_filter(**refused)
    assert "permission to execute your function" in no.value.response["Error"]["Message"]
    clary.client("lambda").add_permission(
        FunctionName="told", StatementId="logs", Action="lambda:InvokeFunction", Principal="logs.amazonaws.com",
        SourceArn=f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*",
    )  # fmt: skip
    logs.put_subscription_filter(**refused)
    start = put(logs, group, "ERROR one", "fine", "ERROR two")
    told = printed(logs, "told", "told ")
    assert {name: told[name] for name in ("messageType", "owner", "logGroup", "logStream", "subscriptionFilters")} == {
        "messageType": "DATA_MESSAGE",
        "owner": "000000000000",
        "logGroup": group,
        "logStream": "s",
        "subscriptionFilters": ["f"],
    }
    found = [(event["timestamp"], event["message"]) for event in told["logEvents"]]
    assert found == [(start, "ERROR one"), (start + 2, "ERROR two")]


def test_what_a_container_writes_becomes_metrics(clary: RunningClary, logs: Any, functions: Functions) -> None:
    functions.create("counted", COUNT)
    clary.client("lambda").get_waiter("function_active_v2").wait(FunctionName="counted")
    group = "/aws/lambda/counted"
    functions.invoke("counted", {"ms": 100})

    def written() -> bool:  # what is written later, too, is the filter's
        found = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        return bool(found and logs.filter_log_events(logGroupName=group, filterPattern="took")["events"])

    wait_until(written, SECONDS, "the first line is written")
    logs.put_metric_filter(
        logGroupName=group,
        filterName="ms",
        filterPattern="[took=took, ms, unit]",
        metricTransformations=[{"metricName": "ms", "metricNamespace": "counted", "metricValue": "$ms"}],
    )
    functions.invoke("counted", {"ms": 7})
    functions.invoke("counted", {"ms": 5})
    wait_until(lambda: total(clary, "counted", "ms") >= 12.0, SECONDS, "both are counted")
    assert total(clary, "counted", "ms") == 12.0


def test_an_export_becomes_objects(clary: RunningClary, logs: Any) -> None:
    group, s3 = made(logs, "exported"), clary.client("s3")
    s3.create_bucket(Bucket="exports")
    start = put(logs, group, "one", "two")
    asked = {"logGroupName": group, "from": start, "to": start + 1, "destination": "exports", "destinationPrefix": "p"}
    task = logs.create_export_task(**asked)["taskId"]

    def status() -> str:
        (found,) = logs.describe_export_tasks(taskId=task)["exportTasks"]
        return str(found["status"]["code"])

    wait_until(lambda: status() == "COMPLETED", SECONDS, "the export is completed")
    packed = s3.get_object(Bucket="exports", Key=f"p/{task}/s/000000.gz")["Body"].read()
    lines = gzip.decompress(packed).decode().splitlines()
    assert [line.partition(" ")[2] for line in lines] == ["one", "two"]
    assert all(line.partition(" ")[0].endswith("Z") for line in lines)
