"""SNS of a started Clary, asked by boto3: what is published reaches queues and functions, and stays there."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from clary.calls import account_root
from clary.identity.sealing import Sealer
from tests.running import RunningClary, wait_until
from tests.system.functions import Functions

pytestmark = [pytest.mark.system]

OTHER = "222222222222"


def queue(clary: RunningClary, name: str) -> tuple[str, str]:
    """A queue's URL and ARN."""
    url = clary.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    return url, f"arn:aws:sqs:us-east-1:000000000000:{name}"


def topic(clary: RunningClary, name: str, protocol: str, endpoint: str, **attributes: str) -> str:
    """A topic to which one has subscribed."""
    client = clary.client("sns")
    arn: str = client.create_topic(Name=name)["TopicArn"]
    client.subscribe(TopicArn=arn, Protocol=protocol, Endpoint=endpoint, Attributes=attributes)
    return arn


def bodies(clary: RunningClary, url: str) -> list[str]:
    """Of the messages that come first."""
    client = clary.client("sqs")

    def received() -> list[str]:
        found = client.receive_message(QueueUrl=url, WaitTimeSeconds=20, MaxNumberOfMessages=10)
        return [message["Body"] for message in found.get("Messages", [])]

    said: list[str] = wait_until(received, 60, f"a message in {url}")
    return said


def test_a_message_is_in_the_queue_when_its_publisher_is_answered_and_outlives_a_kill(clary: RunningClary) -> None:
    url, arn = queue(clary, "news")
    published = topic(clary, "news", "sqs", arn, RawMessageDelivery="true", FilterPolicy='{"kind": ["good"]}')
    for kind in ("good", "bad"):
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        clary.client("sns").publish(TopicArn=published, Message=kind, MessageAttributes=attributes)
    clary.kill("supervisor", "control", "edge")
    clary.up()
    assert bodies(clary, url) == ["good"]


def test_functions_are_told_if_their_policy_lets_topics_in(shared: RunningClary) -> None:
    functions = Functions(shared)
    url, _ = queue(shared, "told")
    text = f"""\
import boto3
def handler(event, context):
    record = event["Records"][0]
    said = record["EventSource"] + " " + record["Sns"]["Message"] + " " + record["Sns"]["Subject"]
    boto3.client("sqs").send_message(QueueUrl="{url}", MessageBody=said)
"""
    for name in ("open", "closed"):
        functions.create(name, text, Timeout=20)
    functions.ask("open", {"Records": [{"EventSource": "warm", "Sns": {"Message": "up", "Subject": ""}}]})
    assert bodies(shared, url) == ["warm up "]
    arn = functions.client.get_function_configuration(FunctionName="open")["FunctionArn"]
    published = topic(shared, "calls", "lambda", arn.replace(":open", ":closed"))
    shared.client("sns").subscribe(TopicArn=published, Protocol="lambda", Endpoint=arn)
    functions.client.add_permission(
        FunctionName="open",
        StatementId="topics",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=published,
    )
    shared.client("sns").publish(TopicArn=published, Message="hello", Subject="about")
    assert bodies(shared, url) == ["aws:sns hello about"]


def test_an_alarm_tells_a_topic(shared: RunningClary) -> None:
    url, arn = queue(shared, "alarmed")
    published, cloudwatch = topic(shared, "alarms", "sqs", arn), shared.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="slow", Namespace="shop", MetricName="Latency", Statistic="Average", Period=60, EvaluationPeriods=1,
        Threshold=10.0, ComparisonOperator="GreaterThanThreshold", AlarmActions=[published],
    )  # fmt: skip
    cloudwatch.set_alarm_state(AlarmName="slow", StateValue="ALARM", StateReason="a test")
    [body] = bodies(shared, url)
    envelope = json.loads(body)
    said: dict[str, Any] = json.loads(envelope["Message"])
    assert envelope["Subject"] == 'ALARM: "slow" in US East (N. Virginia)'
    assert (said["AlarmName"], said["NewStateValue"], said["NewStateReason"]) == ("slow", "ALARM", "a test")
    assert (said["Trigger"]["MetricName"], said["Trigger"]["Statistic"]) == ("Latency", "AVERAGE")
    assert (said["Region"], said["Trigger"]["EvaluateLowSampleCountPercentile"]) == ("US East (N. Virginia)", "")

    def history() -> list[str]:
        items = cloudwatch.describe_alarm_history(AlarmName="slow", HistoryItemType="Action")["AlarmHistoryItems"]
        return [item["HistorySummary"] for item in items]

    assert wait_until(history, 60, "the action is noted") == [f"Successfully executed action {published}"]


def test_what_became_of_events_is_told_to_topics(shared: RunningClary) -> None:
    functions = Functions(shared)
    url, arn = queue(shared, "events")
    published = topic(shared, "events", "sqs", arn, RawMessageDelivery="true")
    functions.create("failing", "def handler(event, context): raise ValueError('no good')", Timeout=20)
    functions.client.update_function_configuration(
        FunctionName="failing", DeadLetterConfig={"TargetArn": published}, Timeout=20
    )
    functions.client.put_function_event_invoke_config(FunctionName="failing", MaximumRetryAttempts=0)
    functions.client.get_waiter("function_updated_v2").wait(FunctionName="failing")
    functions.invoke("failing", {"row": 7}, InvocationType="Event")
    assert bodies(shared, url) == ['{"row": 7}']


def test_a_topic_keeps_how_its_deliveries_are_to_be_logged(shared: RunningClary) -> None:
    client = shared.client("sns")
    arn = client.create_topic(Name="logged", Attributes={"SQSSuccessFeedbackSampleRate": "10"})["TopicArn"]
    client.set_topic_attributes(TopicArn=arn, AttributeName="LambdaSuccessFeedbackSampleRate", AttributeValue="0")
    kept = client.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (kept["SQSSuccessFeedbackSampleRate"], kept["LambdaSuccessFeedbackSampleRate"]) == ("10", "0")
    with pytest.raises(client.exceptions.InvalidParameterException, match="from 0 to 100"):
        client.set_topic_attributes(TopicArn=arn, AttributeName="HTTPSuccessFeedbackSampleRate", AttributeValue="101")


def test_another_account_publishes_once_it_has_the_permission(shared: RunningClary) -> None:
    key = Sealer.of(shared.data_dir).issue(account_root(OTHER), 3600).sts()
    stranger = boto3.client(
        "sns",
        endpoint_url=shared.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key["SessionToken"],
        config=Config(retries={"max_attempts": 0}),
    )
    url, arn = queue(shared, "open")
    published = topic(shared, "open", "sqs", arn)
    with pytest.raises(ClientError) as refused:
        stranger.publish(TopicArn=published, Message="early")
    assert refused.value.response["Error"]["Code"] == "AuthorizationError"
    assert f"is not authorized to perform: SNS:Publish on resource: {published}" in str(refused.value)
    permission = {"TopicArn": published, "Label": "other"}
    shared.client("sns").add_permission(**permission, AWSAccountId=[OTHER], ActionName=["Publish"])
    stranger.publish(TopicArn=published, Message="hello")
    [body] = bodies(shared, url)
    assert json.loads(body)["Message"] == "hello"
    shared.client("sns").remove_permission(**permission)
    with pytest.raises(ClientError):
        stranger.publish(TopicArn=published, Message="late")
