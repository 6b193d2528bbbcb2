"""SQS of a started Clary, asked by boto3: what was acknowledged stays, and whoever waits holds nobody up."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.running import RunningClary, wait_until
from tests.system.functions import Functions

pytestmark = [pytest.mark.system]

WAITING = 40
"""More than the calls that control carries out at once."""


@pytest.fixture(scope="module")
def started(shared: RunningClary) -> RunningClary:
    """One for all tests that end nothing."""
    return shared


def queue(clary: RunningClary, name: str, **attributes: str) -> tuple[Any, str]:
    """A client and a queue's URL."""
    client = clary.client("sqs")
    return client, client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


def received(client: Any, url: str, **request: Any) -> list[Any]:
    """What comes within some seconds."""
    answer = client.receive_message(QueueUrl=url, WaitTimeSeconds=20, MaxNumberOfMessages=10, **request)
    messages: list[Any] = answer.get("Messages", [])
    return messages


def test_a_message_goes_round_with_its_attributes(started: RunningClary) -> None:
    client, url = queue(started, "round")
    attributes = {
        "text": {"DataType": "String", "StringValue": "grüße"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\0\1"},
    }
    sent = client.send_message(QueueUrl=url, MessageBody="hello", MessageAttributes=attributes)
    (message,) = received(client, url, MessageAttributeNames=["All"], AttributeNames=["All"])
    assert (message["Body"], message["MessageAttributes"]) == ("hello", attributes)
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"][
        "ApproximateNumberOfMessagesNotVisible"
    ] == "0"  # fmt: skip
    assert url == f"{started.endpoint_url}/000000000000/round"


def test_errors_have_the_codes_by_which_sdks_know_them(started: RunningClary) -> None:
    client = started.client("sqs")
    with pytest.raises(client.exceptions.QueueDoesNotExist) as error:
        client.get_queue_url(QueueName="none")
    assert error.value.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"
    _, url = queue(started, "errors")
    with pytest.raises(ClientError) as refused:
        client.receive_message(QueueUrl=url, WaitTimeSeconds=21)
    assert refused.value.response["Error"] == {
        "Code": "InvalidParameterValue",
        "Message": "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
        **{name: said for name, said in refused.value.response["Error"].items() if name not in ("Code", "Message")},
    }


def test_whoever_waits_gets_a_message_when_it_comes_and_holds_nobody_up(started: RunningClary) -> None:
    client, url = queue(started, "waited")
    _, other = queue(started, "silent")
    with ThreadPoolExecutor(WAITING + 1) as threads:
        silent = [
            threads.submit(started.client("sqs").receive_message, QueueUrl=other, WaitTimeSeconds=5)
            for _ in range(WAITING)
        ]
        waiting = threads.submit(received, started.client("sqs"), url)
        assert client.list_queues()["QueueUrls"], "control answers while they wait"
        client.send_message(QueueUrl=url, MessageBody="now")
        (message,) = waiting.result(60)
        assert message["Body"] == "now"
        assert not any(each.result(60).get("Messages") for each in silent)


def test_whoever_waits_gets_what_becomes_visible_meanwhile(started: RunningClary) -> None:
    client, url = queue(started, "later", VisibilityTimeout="1")
    client.send_message(QueueUrl=url, MessageBody="again", DelaySeconds=1)
    assert [message["Body"] for message in received(client, url)] == ["again"]
    assert [message["Body"] for message in received(client, url)] == ["again"]


def test_a_message_nobody_deletes_goes_to_the_dead_letter_queue(started: RunningClary) -> None:
    client, dead = queue(started, "dead")
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "1"})
    _, url = queue(started, "live", VisibilityTimeout="0", RedrivePolicy=policy)
    client.send_message(QueueUrl=url, MessageBody="bad")
    assert len(received(client, url)) == 1
    assert "Messages" not in client.receive_message(QueueUrl=url)
    assert [message["Body"] for message in received(client, dead)] == ["bad"]


def test_messages_outlive_a_kill_of_everything_and_those_in_flight_come_back(clary: RunningClary) -> None:
    client, url = queue(clary, "kept", VisibilityTimeout="3")
    client.send_message(QueueUrl=url, MessageBody="flying")
    assert len(received(client, url)) == 1
    sent = [client.send_message(QueueUrl=url, MessageBody=str(number))["MessageId"] for number in range(5)]
    clary.kill("supervisor", "control", "edge")
    clary.up()
    client = clary.client("sqs")
    found: dict[str, str] = {}

    def all_there() -> bool:
        for message in received(client, url, VisibilityTimeout=60):
            found[message["MessageId"]] = message["Body"]
        return len(found) == len(sent) + 1

    wait_until(all_there, 60, "all messages are there")
    assert set(sent) < set(found)
    assert sorted(found.values()) == ["0", "1", "2", "3", "4", "flying"]


def test_control_killed_while_somebody_waits_loses_no_message(clary: RunningClary) -> None:
    client, url = queue(clary, "waited")
    came: list[Any] = []

    def consume() -> None:
        while not came:
            try:
                came.extend(received(clary.client("sqs"), url))
            except ClientError:
                time.sleep(0.1)

    waiting = threading.Thread(target=consume, daemon=True)
    waiting.start()
    clary.kill("control")

    def sent() -> bool:
        try:
            client.send_message(QueueUrl=url, MessageBody="here")
        except ClientError:
            return False
        return True

    wait_until(sent, 60, "control is back")
    waiting.join(60)
    assert came
    assert came[0]["Body"] == "here"


def test_queues_are_told_of_events_though_control_is_killed(clary: RunningClary) -> None:
    functions, client = Functions(clary), clary.client("sqs")
    arns = {}
    for name in ("failed", "dead"):
        _, url = queue(clary, name)
        arns[name] = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    text = "import time\ndef handler(event, context):\n    time.sleep(event)\n    raise ValueError('no good')"
    functions.create("failing", text, DeadLetterConfig={"TargetArn": arns["dead"]}, Timeout=20)
    functions.client.put_function_event_invoke_config(
        FunctionName="failing",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": arns["failed"]}},
    )
    functions.invoke("failing", 0)
    functions.invoke("failing", 1, InvocationType="Event")
    clary.kill("control")

    def told(name: str) -> Any:
        address = f"{clary.endpoint_url}/000000000000/{name}"
        try:
            found = received(clary.client("sqs"), address, MessageAttributeNames=["All"])
        except ClientError:
            return None
        return found[0] if found else None

    failed = json.loads(wait_until(lambda: told("failed"), 60, "the destination is told")["Body"])
    assert failed["requestContext"]["condition"] == "RetriesExhausted"
    assert (failed["requestPayload"], failed["responsePayload"]["errorType"]) == (1, "ValueError")
    dead = wait_until(lambda: told("dead"), 60, "the event is in the dead-letter queue")
    said = {name: (each["DataType"], each["StringValue"]) for name, each in dead["MessageAttributes"].items()}
    assert dead["Body"] == "1"
    assert said["RequestID"] == ("String", failed["requestContext"]["requestId"])
    assert (said["ErrorCode"], said["ErrorMessage"]) == (("Number", "200"), ("String", "no good"))
    waiting = clary.data_dir / "functions" / "events"
    wait_until(lambda: not list(waiting.glob("*.json")), 60, "no event is left")


def test_targets_that_are_not_there_are_refused(started: RunningClary) -> None:
    functions = Functions(started)
    _, url = queue(started, "ordered.fifo", FifoQueue="true")
    for name in ("none", url.rpartition("/")[2]):
        with pytest.raises(functions.client.exceptions.InvalidParameterValueException, match="is invalid"):
            functions.create("f", "", DeadLetterConfig={"TargetArn": f"arn:aws:sqs:us-east-1:000000000000:{name}"})
