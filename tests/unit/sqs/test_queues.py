"""Queues: made, found, changed, deleted. Texts are AWS's, as recorded in public test suites."""

import json

import pytest

NO_QUEUE = ("QueueDoesNotExist", "The specified queue does not exist.")


def test_a_queue_is_found_by_name_and_url(sqs):
    url = sqs.create("jobs")
    assert url.endswith("/000000000000/jobs")
    assert sqs("GetQueueUrl", QueueName="jobs") == {"QueueUrl": url}
    assert sqs.arn(url) == "arn:aws:sqs:us-east-1:000000000000:jobs"
    assert sqs("ListQueues", QueueNamePrefix="jo") == {"QueueUrls": [url]}
    assert sqs("ListQueues", QueueNamePrefix="other") == {}


def test_lists_have_pages(sqs):
    urls = [sqs.create(name) for name in ("a", "b", "c")]
    first = sqs("ListQueues", MaxResults=2)
    assert first["QueueUrls"] == urls[:2]
    assert sqs("ListQueues", MaxResults=2, NextToken=first["NextToken"]) == {"QueueUrls": urls[2:]}


def test_a_queue_made_twice_is_one_unless_it_differs(sqs):
    assert sqs.create(DelaySeconds="1") == sqs.create(DelaySeconds="1") == sqs.create()
    assert sqs.refusal("CreateQueue", QueueName="q", Attributes={"DelaySeconds": "2"}) == (
        "QueueNameExists",
        "A queue already exists with the same name and a different value for attribute DelaySeconds",
    )


@pytest.mark.parametrize("operation", ["DeleteQueue", "PurgeQueue", "GetQueueAttributes", "ListQueueTags"])
def test_a_queue_that_is_not_there(sqs, operation):
    assert sqs.refusal(operation, QueueUrl="http://127.0.0.1/000000000000/none") == NO_QUEUE


def test_another_account_s_queue_is_not_there(sqs):
    sqs.create("mine")
    assert sqs.refusal("PurgeQueue", QueueUrl="http://127.0.0.1/111111111111/mine") == NO_QUEUE


def test_a_queue_made_again_is_empty(sqs):
    url = sqs.create()
    sqs.send(url)
    sqs("DeleteQueue", QueueUrl=url)
    assert sqs.refusal("GetQueueUrl", QueueName="q") == NO_QUEUE
    assert sqs.bodies(sqs.create()) == []


def test_what_a_deleted_queue_has_left_goes_with_the_next_start(sqs):
    kept, gone = sqs.create("kept"), sqs.create("gone")
    sqs.send(kept)
    sqs.send(gone)
    messages, rows = sqs.inner.messages, sqs.inner.store.read.rows("queue")
    ids = {row.key.name: row.state["id"] for row in rows}
    messages.keep_only([ids["kept"]])
    assert sqs.bodies(kept) == ["text"]
    assert sqs.bodies(gone) == []


@pytest.mark.parametrize(
    ("name", "attributes"),
    [("a b", {}), ("x" * 81, {}), ("q.fifo", {}), ("q", {"FifoQueue": "true"})],
    ids=["blank", "long", "standard with suffix", "fifo without suffix"],
)
def test_names_are_held_to_their_rules(sqs, name, attributes):
    code, _ = sqs.refusal("CreateQueue", QueueName=name, Attributes=attributes)
    assert code == "InvalidParameterValue"


@pytest.mark.parametrize(
    ("attributes", "refused"),
    [
        ({"QueueArn": "1"}, ("InvalidAttributeName", "Unknown Attribute QueueArn.")),
        (
            {"ContentBasedDeduplication": "true"},
            ("InvalidAttributeName", "Unknown Attribute ContentBasedDeduplication."),
        ),
        (
            {"DeduplicationScope": "queue"},
            ("InvalidAttributeName", "You can specify the DeduplicationScope only when FifoQueue is set to true."),
        ),
        ({"DelaySeconds": "901"}, ("InvalidAttributeValue", "Invalid value for the parameter DelaySeconds.")),
        ({"Policy": "{"}, ("InvalidAttributeValue", "Invalid value for the parameter Policy.")),
    ],
    ids=["unknown", "of fifo", "of high throughput", "range", "no JSON"],
)
def test_attributes_are_held_to_their_rules(sqs, attributes, refused):
    assert sqs.refusal("CreateQueue", QueueName="q", Attributes=attributes) == refused


def test_attributes_are_shown_with_their_defaults_and_changed(sqs):
    url = sqs.create(DelaySeconds="5")
    shown = sqs.attributes(url)
    assert (shown["DelaySeconds"], shown["VisibilityTimeout"]) == ("5", "30")
    assert shown["ApproximateNumberOfMessages"] == "0"
    sqs("SetQueueAttributes", QueueUrl=url, Attributes={"VisibilityTimeout": "7"})
    assert sqs.attributes(url, "VisibilityTimeout") == {"VisibilityTimeout": "7"}
    assert sqs("GetQueueAttributes", QueueUrl=url) == {}


def test_a_redrive_policy_names_a_queue_of_the_same_type(sqs):
    dead = sqs.arn(sqs.create("dead"))
    url = sqs.create("live")

    def refused(**policy):
        given = {"RedrivePolicy": json.dumps(policy)}
        return sqs.refusal("SetQueueAttributes", QueueUrl=url, Attributes=given)[0]

    assert refused(deadLetterTargetArn=dead + "s", maxReceiveCount=1) == "InvalidParameterValue"
    assert refused(deadLetterTargetArn=dead, maxReceiveCount=0) == "InvalidParameterValue"
    fifo = sqs.arn(sqs.create("dead.fifo", FifoQueue="true"))
    assert refused(deadLetterTargetArn=fifo, maxReceiveCount=1) == "InvalidParameterValue"
    policy = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": "2"})
    sqs("SetQueueAttributes", QueueUrl=url, Attributes={"RedrivePolicy": policy})
    assert sqs("ListDeadLetterSourceQueues", QueueUrl=dead.rpartition(":")[2]) == {"queueUrls": [url]}
    sqs("SetQueueAttributes", QueueUrl=url, Attributes={"RedrivePolicy": ""})
    assert "RedrivePolicy" not in sqs.attributes(url)


def test_permissions_are_kept_as_a_policy(sqs):
    url = sqs.create()
    given = {"QueueUrl": url, "Label": "one", "AWSAccountIds": ["111111111111"], "Actions": ["SendMessage"]}
    sqs("AddPermission", **given)
    (statement,) = json.loads(sqs.attributes(url)["Policy"])["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::111111111111:root"}
    assert statement["Action"] == "SQS:SendMessage"
    assert sqs.refusal("AddPermission", **given) == (
        "InvalidParameterValue",
        "Value one for parameter Label is invalid. Reason: Already exists.",
    )
    sqs("RemovePermission", QueueUrl=url, Label="one")
    assert "Policy" not in sqs.attributes(url)
    assert sqs.refusal("RemovePermission", QueueUrl=url, Label="one") == (
        "InvalidParameterValue",
        "Value one for parameter Label is invalid. Reason: can't find label.",
    )


def test_tags(sqs):
    url = sqs("CreateQueue", QueueName="q", tags={"a": "1"})["QueueUrl"]
    sqs("TagQueue", QueueUrl=url, Tags={"b": "2"})
    sqs("UntagQueue", QueueUrl=url, TagKeys=["a"])
    assert sqs("ListQueueTags", QueueUrl=url) == {"Tags": {"b": "2"}}
