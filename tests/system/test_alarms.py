"""Alarms of a started Clary: they follow their metrics, outlive control, and call functions."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, HeadersDict
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from tests.running import RunningClary, wait_until
from tests.system.functions import Functions

pytestmark = [pytest.mark.system]

ALARMS = "lambda.alarms.cloudwatch.amazonaws.com"
SECONDS = 60.0
"""Enough for several looks at an alarm of ten seconds, on a machine that is busy."""

TELL = """\
import json
def handler(event, context):
    print("told", json.dumps(event))
"""


@pytest.fixture(scope="module")
def clary(shared: RunningClary) -> RunningClary:
    return shared


@pytest.fixture(scope="module")
def cloudwatch(clary: RunningClary) -> Any:
    return clary.client("cloudwatch")


def put_alarm(cloudwatch: Any, name: str, **more: Any) -> None:
    asked = {
        "Namespace": "tests",
        "MetricName": name,
        "Statistic": "Maximum",
        "Period": 10,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    cloudwatch.put_metric_alarm(AlarmName=name, **(asked | more))


def put_data(cloudwatch: Any, name: str, value: float, *, ago: float = 0.0) -> None:
    at = datetime.now(UTC) - timedelta(seconds=ago)
    datum = {"MetricName": name, "Value": value, "Timestamp": at, "StorageResolution": 1}
    cloudwatch.put_metric_data(Namespace="tests", MetricData=[datum])


def described(cloudwatch: Any, name: str, kind: str = "MetricAlarm") -> Any:
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=[kind])[f"{kind}s"]
    return alarm


def state(cloudwatch: Any, name: str, kind: str = "MetricAlarm") -> str:
    value: str = described(cloudwatch, name, kind)["StateValue"]
    return value


def wait_for(cloudwatch: Any, name: str, value: str, kind: str = "MetricAlarm") -> None:
    wait_until(lambda: state(cloudwatch, name, kind) == value, SECONDS, f"{name} is {value}")


def crossed(cloudwatch: Any, name: str) -> bool:
    """Whether the alarm is raised; until then its metric goes on to say so, for whenever it is looked at."""
    if state(cloudwatch, name) == "ALARM":
        return True
    put_data(cloudwatch, name, 5.0, ago=12)
    return False


def summaries(cloudwatch: Any, name: str, kind: str) -> list[str]:
    """Oldest first."""
    pages = cloudwatch.get_paginator("describe_alarm_history").paginate(
        AlarmName=name, HistoryItemType=kind, ScanBy="TimestampAscending"
    )
    return [item["HistorySummary"] for page in pages for item in page["AlarmHistoryItems"]]


def test_alarms_follow_their_metrics_whatever_was_set_and_whoever_was_killed(
    clary: RunningClary, cloudwatch: Any
) -> None:
    put_alarm(cloudwatch, "quiet", TreatMissingData="notBreaching")
    wait_for(cloudwatch, "quiet", "OK")
    put_alarm(cloudwatch, "latency")
    put_alarm(cloudwatch, "slow", Period=3600, TreatMissingData="ignore")
    cloudwatch.put_composite_alarm(AlarmName="either", AlarmRule='ALARM("latency") OR ALARM(slow)')
    wait_until(lambda: crossed(cloudwatch, "latency"), SECONDS, "latency is ALARM")
    assert (
        "was greater than the threshold (1.0) (minimum 1 datapoint for OK -> ALARM transition)."
        in (described(cloudwatch, "latency")["StateReason"])
    )
    wait_for(cloudwatch, "either", "ALARM", "CompositeAlarm")
    for name in ("quiet", "slow"):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")

    clary.kill("control")
    wait_until(lambda: _ready(cloudwatch), SECONDS, "control is there again")
    assert described(cloudwatch, "slow")["StateReason"] == "test"
    assert state(cloudwatch, "either", "CompositeAlarm") == "ALARM"

    for ago in (0, 10, 20):
        put_data(cloudwatch, "latency", 0.5, ago=ago)
    cloudwatch.set_alarm_state(AlarmName="slow", StateValue="OK", StateReason="test is over")
    wait_until(lambda: state(cloudwatch, "latency") != "ALARM", SECONDS, "the alarm is over")
    wait_for(cloudwatch, "either", "OK", "CompositeAlarm")
    assert summaries(cloudwatch, "latency", "StateUpdate")[0] == "Alarm updated from INSUFFICIENT_DATA to ALARM"
    wait_for(cloudwatch, "quiet", "OK")
    assert summaries(cloudwatch, "quiet", "StateUpdate") == [
        "Alarm updated from INSUFFICIENT_DATA to OK",
        "Alarm updated from OK to ALARM",
        "Alarm updated from ALARM to OK",
    ]


def _ready(cloudwatch: Any) -> bool:
    try:
        cloudwatch.describe_alarms(MaxRecords=1)
    except ClientError:
        return False
    return True


def test_an_alarm_invokes_a_function_that_lets_it(clary: RunningClary, cloudwatch: Any) -> None:
    functions = Functions(clary)
    function = functions.create("told", TELL)["FunctionArn"]
    put_alarm(cloudwatch, "teller", AlarmActions=[function], OKActions=[function], TreatMissingData="ignore")
    cloudwatch.set_alarm_state(AlarmName="teller", StateValue="OK", StateReason="not let in")
    wait_until(lambda: len(summaries(cloudwatch, "teller", "Action")) == 1, SECONDS, "the action was refused")
    arn = described(cloudwatch, "teller")["AlarmArn"]
    functions.client.add_permission(
        FunctionName="told", StatementId="alarm", Action="lambda:InvokeFunction", Principal=ALARMS, SourceArn=arn
    )
    cloudwatch.set_alarm_state(AlarmName="teller", StateValue="ALARM", StateReason="let in")
    wait_until(lambda: _told(clary) is not None, SECONDS, "the function was invoked")
    event = _told(clary)
    assert (event["source"], event["alarmArn"]) == ("aws.cloudwatch", arn)
    assert event["alarmData"]["state"]["value"] == "ALARM"
    assert event["alarmData"]["previousState"]["reason"] == "not let in"
    assert event["alarmData"]["configuration"]["metrics"][0]["metricStat"]["metric"]["name"] == "teller"
    refused, done = summaries(cloudwatch, "teller", "Action")
    assert refused.startswith(
        f'Failed to execute action {function}. Received error: "CloudWatch Alarms is not authorized'
    )
    assert done == f"Successfully executed action {function}"


def _told(clary: RunningClary) -> Any:
    logs = clary.client("logs")
    if not logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/told")["logGroups"]:
        return None
    events = logs.filter_log_events(logGroupName="/aws/lambda/told")["events"]
    said = [each["message"] for each in events if each["message"].startswith("told ")]
    return json.loads(said[0].removeprefix("told ")) if said else None


@pytest.mark.parametrize("protocol", ["smithy-rpc-v2-cbor", "json", "query"])
def test_every_protocol_puts_describes_and_refuses(clary: RunningClary, protocol: str) -> None:
    def call(name: str, **params: Any) -> Any:
        operation = clary.client("cloudwatch").meta.service_model.operation_model(name)
        sent = create_serializer(protocol, include_validation=False).serialize_to_request(params, operation)
        body = urlencode(sent["body"]).encode() if isinstance(sent["body"], dict) else sent["body"]
        status, headers, said = _asked(clary, dict(sent["headers"]), body, sent["url_path"])
        answer = {"status_code": status, "headers": HeadersDict(headers), "body": said}
        return create_parser(protocol).parse(answer, operation.output_shape)

    name = f"by {protocol}"
    metric = {"Namespace": "tests", "MetricName": "m", "Statistic": "Sum", "Period": 60}
    threshold = {"Threshold": 1.5, "ComparisonOperator": "LessThanThreshold", "EvaluationPeriods": 2}
    call("PutMetricAlarm", AlarmName=name, ActionsEnabled=False, **metric, **threshold)
    (alarm,) = call("DescribeAlarms", AlarmNames=[name])["MetricAlarms"]
    assert (alarm["Threshold"], alarm["EvaluationPeriods"], alarm["ActionsEnabled"]) == (1.5, 2, False)
    assert alarm["StateUpdatedTimestamp"].tzinfo is not None
    gone = call("SetAlarmState", AlarmName="gone", StateValue="OK", StateReason="test")
    assert gone["Error"]["Code"] == "ResourceNotFound"
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 404


def _asked(clary: RunningClary, headers: dict[str, str], body: bytes, path: str) -> tuple[int, dict[str, str], bytes]:
    """One signed request."""
    key = json.loads((clary.data_dir / "credentials.json").read_text())
    request = AWSRequest("POST", clary.endpoint_url + path, headers=headers, data=body)
    SigV4Auth(Credentials(key["access_key_id"], key["secret_access_key"]), "monitoring", "us-east-1").add_auth(request)
    sent = urllib.request.Request(request.url, body, dict(request.headers.items()), method="POST")
    try:
        with urllib.request.urlopen(sent) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()
