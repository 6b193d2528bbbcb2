"""Messages: sent, received, hidden, deleted, moved. Texts are AWS's, as recorded in public test suites."""

import base64
import hashlib
import json

import pytest

from clary.queues.messages import MessageStore
from clary.services.sqs import letters, reception, sending


@pytest.fixture
def clock(monkeypatch):
    """Time that stands still until it is told to go on."""

    class Clock:
        seconds = 1_000_000.0

        def time(self):
            return self.seconds

    stopped = Clock()
    for module in ("handled", "queue_attributes", "reception", "sending"):
        monkeypatch.setattr(f"clary.services.sqs.{module}.time", stopped)
    return stopped


def fifo(sqs, **attributes):
    return sqs.create("q.fifo", FifoQueue="true", **attributes)


def counts(sqs, url):
    there = sqs.attributes(url)
    names = ("", "NotVisible", "Delayed")
    return tuple(int(there[f"ApproximateNumberOfMessages{name}"]) for name in names)


def test_a_message_comes_back_until_it_is_deleted(sqs, clock):
    url = sqs.create(VisibilityTimeout="10")
    sent = sqs.send(url, "hello")
    assert sent["MD5OfMessageBody"] == hashlib.md5(b"hello").hexdigest()
    (first,) = sqs.receive(url, AttributeNames=["All"])
    assert (first["MessageId"], first["Body"]) == (sent["MessageId"], "hello")
    assert first["Attributes"]["ApproximateReceiveCount"] == "1"
    assert sqs.receive(url) == []
    assert counts(sqs, url) == (0, 1, 0)
    clock.seconds += 10
    (second,) = sqs.receive(url, MessageSystemAttributeNames=["ApproximateReceiveCount"])
    assert second["Attributes"] == {"ApproximateReceiveCount": "2"}
    sqs("DeleteMessage", QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    assert counts(sqs, url) == (0, 1, 0), "an older receipt deletes nothing"
    sqs("DeleteMessage", QueueUrl=url, ReceiptHandle=second["ReceiptHandle"])
    assert counts(sqs, url) == (0, 0, 0)


def test_messages_are_kept_when_the_process_ends(sqs, tmp_path):
    url = sqs.create()
    sqs.send(url, "kept")
    sqs.inner.messages.close()
    sqs.inner.messages = MessageStore(sqs.inner.settings.messages_database)
    assert sqs.bodies(url) == ["kept"]


def test_a_delay_is_waited_for(sqs, clock):
    url = sqs.create(DelaySeconds="5")
    sqs.send(url, "late")
    sqs.send(url, "now", DelaySeconds=0)
    assert sqs.bodies(url) == ["now"]
    assert counts(sqs, url) == (0, 1, 1)
    clock.seconds += 5
    assert sqs.bodies(url) == ["late"]


def test_what_is_too_old_is_no_more(sqs, clock):
    url = sqs.create(MessageRetentionPeriod="60")
    sqs.send(url)
    clock.seconds += 60
    assert counts(sqs, url) == (0, 0, 0)
    assert sqs.bodies(url) == []


def test_visibility_is_changed_while_in_flight(sqs, clock):
    url = sqs.create()
    sqs.send(url)
    handle = {"QueueUrl": url, "ReceiptHandle": sqs.receive(url)[0]["ReceiptHandle"]}
    sqs("ChangeMessageVisibility", **handle, VisibilityTimeout=0)
    assert sqs.refusal("ChangeMessageVisibility", **handle, VisibilityTimeout=1)[0] == "MessageNotInflight"
    assert len(sqs.receive(url)) == 1
    assert sqs.refusal("ChangeMessageVisibility", **handle, VisibilityTimeout=43_201) == (
        "InvalidParameterValue",
        "Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200, if provided.",
    )


def test_a_message_received_too_often_goes_to_the_dead_letter_queue(sqs, clock):
    dead = sqs.create("dead")
    policy = json.dumps({"deadLetterTargetArn": sqs.arn(dead), "maxReceiveCount": 2})
    url = sqs.create("live", VisibilityTimeout="1", RedrivePolicy=policy)
    sent = sqs.send(url, "bad")
    for _ in range(2):
        assert sqs.bodies(url) == ["bad"]
        clock.seconds += 1
    assert sqs.bodies(url) == []
    (moved,) = sqs.receive(dead, AttributeNames=["DeadLetterQueueSourceArn"])
    assert moved["MessageId"] == sent["MessageId"]
    assert moved["Attributes"] == {"DeadLetterQueueSourceArn": sqs.arn(url)}


def test_groups_keep_their_order_and_do_not_wait_for_one_another(sqs, clock):
    url = fifo(sqs, ContentBasedDeduplication="true", VisibilityTimeout="10")
    for body, group in (("a1", "a"), ("b1", "b"), ("a2", "a")):
        assert len(sqs.send(url, body, MessageGroupId=group)["SequenceNumber"]) == 20
    (first,) = sqs.receive(url)
    assert first["Body"] == "a1"
    assert sqs.bodies(url) == ["b1"], "a2 waits for a1"
    sqs("DeleteMessage", QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    (second,) = sqs.receive(url)
    assert second["Body"] == "a2"
    clock.seconds += 10
    assert sqs.refusal("DeleteMessage", QueueUrl=url, ReceiptHandle=second["ReceiptHandle"]) == (
        "InvalidParameterValue",
        (
            f"Value {second['ReceiptHandle']} for parameter ReceiptHandle is invalid. Reason: The receipt handle has "
            "expired."
        ),
    )


def test_the_same_message_within_five_minutes_is_one(sqs, clock):
    url = fifo(sqs)
    ids = {"MessageGroupId": "g", "MessageDeduplicationId": "once"}
    first = sqs.send(url, "one", **ids)
    again = sqs.send(url, "two", **ids)
    assert (again["MessageId"], again["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    assert sqs.bodies(url) == ["one"]
    clock.seconds += 300
    assert sqs.send(url, "three", **ids)["MessageId"] != first["MessageId"]


def test_deduplication_may_be_within_a_group(sqs):
    url = fifo(sqs, DeduplicationScope="messageGroup", FifoThroughputLimit="perMessageGroupId")
    for group in ("a", "b", "a"):
        sqs.send(url, group, MessageGroupId=group, MessageDeduplicationId="same")
    assert sorted(sqs.bodies(url)) == ["a", "b"]


def test_message_attributes_come_back_as_they_are_asked_for(sqs):
    url = sqs.create()
    given = {
        "a.text": {"DataType": "String", "StringValue": "x"},
        "a.number": {"DataType": "Number.int", "StringValue": "7"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\0\1"},
    }
    sent = sqs.send(url, MessageAttributes=given)
    (message,) = sqs.receive(url, MessageAttributeNames=["All"], VisibilityTimeout=0)
    assert message["MessageAttributes"] == given
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    (message,) = sqs.receive(url, MessageAttributeNames=["a.*"], VisibilityTimeout=0)
    assert set(message["MessageAttributes"]) == {"a.text", "a.number"}
    assert "MessageAttributes" not in sqs.receive(url)[0]


@pytest.mark.parametrize(
    ("params", "refused"),
    [
        ({"MessageBody": ""}, ("MissingParameter", "The request must contain the parameter MessageBody.")),
        (
            {"MessageBody": "x" * 1025},
            (
                "InvalidParameterValue",
                "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.",
            ),
        ),
        (
            {"MessageAttributes": {"ErrorDetails": {"DataType": "String", "StringValue": ""}}},
            (
                "InvalidParameterValue",
                "Message (user) attribute 'ErrorDetails' must contain a non-empty value of type 'String'.",
            ),
        ),
        (
            {"MessageGroupId": "group 123"},
            (
                "InvalidParameterValue",
                (
                    "Value group 123 for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include "
                    "alphanumeric and punctuation characters. 1 to 128 in length."
                ),
            ),
        ),
    ],
    ids=["empty", "long", "empty attribute", "group"],
)
def test_messages_are_held_to_their_rules(sqs, params, refused):
    url = sqs.create(MaximumMessageSize="1024")
    assert sqs.refusal("SendMessage", **{"QueueUrl": url, "MessageBody": "text", **params}) == refused


@pytest.mark.parametrize(
    ("params", "refused"),
    [
        ({}, ("MissingParameter", "The request must contain the parameter MessageGroupId.")),
        (
            {"MessageGroupId": "g"},
            (
                "InvalidParameterValue",
                (
                    "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
                    "explicitly"
                ),
            ),
        ),
        (
            {"MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 2},
            (
                "InvalidParameterValue",
                (
                    "Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not "
                    "valid for this queue type."
                ),
            ),
        ),
    ],
    ids=["group", "deduplication", "delay"],
)
def test_messages_of_a_fifo_queue_are_held_to_its_rules(sqs, params, refused):
    assert sqs.refusal("SendMessage", QueueUrl=fifo(sqs), MessageBody="text", **params) == refused


def test_each_entry_of_a_batch_is_sent_or_refused_for_itself(sqs):
    url = sqs.create()
    entries = [{"Id": "good", "MessageBody": "text"}, {"Id": "bad", "MessageBody": "x", "DelaySeconds": 901}]
    said = sqs("SendMessageBatch", QueueUrl=url, Entries=entries)
    assert [entry["Id"] for entry in said["Successful"]] == ["good"]
    (failed,) = said["Failed"]
    assert (failed["Id"], failed["Code"], failed["SenderFault"]) == ("bad", "InvalidParameterValue", True)
    assert sqs.bodies(url) == ["text"]


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        ([], "EmptyBatchRequest"),
        ([str(n) for n in range(11)], "TooManyEntriesInBatchRequest"),
        (["a b"], "InvalidBatchEntryId"),
        (["a", "a"], "BatchEntryIdsNotDistinct"),
    ],
    ids=["none", "many", "blank", "twice"],
)
def test_batches_are_held_to_their_rules(sqs, ids, code):
    entries = [{"Id": each, "MessageBody": "text"} for each in ids]
    assert sqs.refusal("SendMessageBatch", QueueUrl=sqs.create(), Entries=entries)[0] == code


def test_a_batch_has_a_greatest_size(sqs):
    entries = [{"Id": "a", "MessageBody": "x" * 1_048_576}, {"Id": "b", "MessageBody": "x"}]
    assert sqs.refusal("SendMessageBatch", QueueUrl=sqs.create(), Entries=entries) == (
        "BatchRequestTooLong",
        "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.",
    )


def test_messages_are_deleted_and_shown_again_in_batches(sqs):
    url = sqs.create()
    for body in "abc":
        sqs.send(url, body)
    handles = [message["ReceiptHandle"] for message in sqs.receive(url, MaxNumberOfMessages=10)]
    entries = [{"Id": "0", "ReceiptHandle": handles[0]}, {"Id": "1", "ReceiptHandle": "nonsense"}]
    said = sqs("DeleteMessageBatch", QueueUrl=url, Entries=entries)
    assert said["Successful"] == [{"Id": "0"}]
    assert said["Failed"][0]["Code"] == "ReceiptHandleIsInvalid"
    shown = [{"Id": "2", "ReceiptHandle": handles[2], "VisibilityTimeout": 0}]
    assert sqs("ChangeMessageVisibilityBatch", QueueUrl=url, Entries=shown)["Successful"] == [{"Id": "2"}]
    assert sqs.bodies(url) == ["c"]


def test_a_receipt_of_another_queue_is_none_of_this(sqs):
    one, other = sqs.create("one"), sqs.create("other")
    sqs.send(one)
    handle = sqs.receive(one)[0]["ReceiptHandle"]
    assert sqs.refusal("DeleteMessage", QueueUrl=other, ReceiptHandle=handle)[0] == "ReceiptHandleIsInvalid"


@pytest.mark.parametrize(
    "text",
    ["", "[" * 100_000, "7", '["{id}", 1e9, "a"]', '["{id}", 1000000000000000000000000000000, "a"]', '["{id}", 1, 1]'],
    ids=["empty", "deep", "number", "float", "great", "receipt"],
)
def test_a_receipt_that_is_none_is_refused(sqs, text):
    url = sqs.create()
    (row,) = sqs.inner.store.read.rows("queue")
    made = base64.urlsafe_b64encode(text.replace("{id}", row.state["id"]).encode()).decode()
    assert sqs.refusal("DeleteMessage", QueueUrl=url, ReceiptHandle=made) == (
        "ReceiptHandleIsInvalid",
        f'The input receipt handle "{made}" is not a valid receipt handle.',
    )


def test_purging_leaves_nothing(sqs):
    url = sqs.create()
    sqs.send(url)
    sqs("PurgeQueue", QueueUrl=url)
    assert counts(sqs, url) == (0, 0, 0)


@pytest.mark.parametrize("most", [0, 11])
def test_at_most_ten_are_received(sqs, most):
    with pytest.raises(Exception, match=f"Value {most} for parameter MaxNumberOfMessages is invalid."):
        sqs.receive(sqs.create(), MaxNumberOfMessages=most)


def test_limits_are_aws_s():
    assert (letters.LONGEST_DELAY, reception.LONGEST_HIDDEN) == (900, 43_200)
    assert sending.sequence(7) == "00000000000000000007"
