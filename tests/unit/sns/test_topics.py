"""Topics and their subscriptions. Texts are AWS's, as recorded in public test suites."""

import json
import time

import pytest

from clary.errors import AWSError
from clary.queues.model import Terms

ACCOUNT = "000000000000"


@pytest.fixture
def sns(inner):
    return inner.service("sns")


@pytest.fixture
def topic(sns):
    return sns.call("CreateTopic", Name="news")["TopicArn"]


def queue(inner, name="q"):
    inner("sqs", "CreateQueue", QueueName=name)
    return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"


def subscribed(inner, topic, **attributes):
    endpoint = queue(inner)
    given = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": endpoint, "Attributes": attributes}
    return inner("sns", "Subscribe", **given)["SubscriptionArn"]


def bodies(inner, name="q"):
    row = next(row for row in inner.store.read.rows("queue") if row.key.name == name)
    found = inner.messages.receive(row.state["id"], terms())
    return [message.body for message in found.messages]


def terms():
    return Terms(int(time.time() * 1000) + 1, 10, 30_000, 10**9, ordered=False)


def test_a_topic_is_made_once_listed_and_deleted(sns, topic):
    assert topic == f"arn:aws:sns:us-east-1:{ACCOUNT}:news"
    assert sns.call("CreateTopic", Name="news") == {"TopicArn": topic}
    assert sns.call("ListTopics") == {"Topics": [{"TopicArn": topic}]}
    sns.call("DeleteTopic", TopicArn=topic)
    sns.call("DeleteTopic", TopicArn=topic)
    assert sns.refusal("GetTopicAttributes", TopicArn=topic) == ("NotFound", "Topic does not exist")


def test_attributes_of_a_topic(sns, topic):
    sns.call("SetTopicAttributes", TopicArn=topic, AttributeName="DisplayName", AttributeValue="News")
    shown = sns.call("GetTopicAttributes", TopicArn=topic)["Attributes"]
    assert (shown["DisplayName"], shown["Owner"], shown["SubscriptionsConfirmed"]) == ("News", ACCOUNT, "0")
    assert json.loads(shown["Policy"])["Id"] == "__default_policy_ID"
    refused = sns.refusal("SetTopicAttributes", TopicArn=topic, AttributeName="Nonsense", AttributeValue="")
    assert refused == ("InvalidParameter", "Invalid parameter: AttributeName")


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"Name": "a b"}, "Invalid parameter: Topic Name"),
        ({"Name": "a.fifo"}, "Invalid parameter: A FIFO topic is not offered by Clary."),
    ],
    ids=["blank", "fifo"],
)
def test_names_of_topics_are_held_to_their_rules(sns, params, text):
    assert sns.refusal("CreateTopic", **params) == ("InvalidParameter", text)


def test_an_arn_that_is_none(sns):
    text = "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1"
    assert sns.refusal("GetTopicAttributes", TopicArn="randomstring") == ("InvalidParameter", text)


def test_tags(sns, topic):
    sns.call("TagResource", ResourceArn=topic, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    sns.call("UntagResource", ResourceArn=topic, TagKeys=["a"])
    assert sns.call("ListTagsForResource", ResourceArn=topic) == {"Tags": [{"Key": "b", "Value": "2"}]}
    assert sns.refusal("ListTagsForResource", ResourceArn=topic + "x")[0] == "ResourceNotFound"


def test_a_subscription_is_made_once_and_listed(inner, sns, topic):
    arn = subscribed(inner, topic)
    assert subscribed(inner, topic) == arn
    (listed,) = sns.call("ListSubscriptionsByTopic", TopicArn=topic)["Subscriptions"]
    assert listed == sns.call("ListSubscriptions")["Subscriptions"][0]
    assert (listed["SubscriptionArn"], listed["Protocol"], listed["TopicArn"]) == (arn, "sqs", topic)
    assert sns.call("GetTopicAttributes", TopicArn=topic)["Attributes"]["SubscriptionsConfirmed"] == "1"
    with pytest.raises(AWSError, match="Subscription already exists with different attributes"):
        subscribed(inner, topic, RawMessageDelivery="true")
    sns.call("Unsubscribe", SubscriptionArn=arn)
    assert sns.refusal("GetSubscriptionAttributes", SubscriptionArn=arn) == ("NotFound", "Subscription does not exist")


@pytest.mark.parametrize(
    ("protocol", "endpoint", "text"),
    [
        ("test-protocol", "x", "Invalid parameter: Amazon SNS does not support this protocol string: test-protocol"),
        ("sqs", "http://127.0.0.1/q", "Invalid parameter: SQS endpoint ARN"),
        ("sms", "+1", "Invalid parameter: Protocol sms (what may subscribe: sqs and lambda) is not offered by Clary."),
    ],
    ids=["unknown", "url", "sms"],
)
def test_what_may_not_subscribe_is_refused(sns, topic, protocol, endpoint, text):
    refused = sns.refusal("Subscribe", TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
    assert refused == ("InvalidParameter", text)


def test_attributes_of_a_subscription(inner, sns, topic):
    arn = subscribed(inner, topic)
    named = {"SubscriptionArn": arn, "AttributeName": "RawMessageDelivery"}
    assert sns.refusal("SetSubscriptionAttributes", **named, AttributeValue="test-ValUe") == (
        "InvalidParameter",
        "Invalid parameter: RawMessageDelivery: Invalid value [test-ValUe]. Must be true or false.",
    )
    sns.call("SetSubscriptionAttributes", **named, AttributeValue="true")
    shown = sns.call("GetSubscriptionAttributes", SubscriptionArn=arn)["Attributes"]
    assert (shown["RawMessageDelivery"], shown["PendingConfirmation"]) == ("true", "false")
    named = {"SubscriptionArn": arn, "AttributeName": "FilterPolicy"}
    assert sns.refusal("SetSubscriptionAttributes", **named, AttributeValue="{")[0] == "InvalidParameter"


def test_a_queue_gets_an_envelope_or_the_message_itself(inner, sns, topic):
    arn = subscribed(inner, topic)
    attributes = {"kind": {"DataType": "String", "StringValue": "x"}}
    said = sns.call("Publish", TopicArn=topic, Message="hello", Subject="about", MessageAttributes=attributes)
    (body,) = bodies(inner)
    told = json.loads(body)
    assert (told["Type"], told["MessageId"], told["Message"]) == ("Notification", said["MessageId"], "hello")
    assert (told["Subject"], told["TopicArn"]) == ("about", topic)
    assert told["MessageAttributes"] == {"kind": {"Type": "String", "Value": "x"}}
    sns.call(
        "SetSubscriptionAttributes", SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue="true"
    )
    sns.call("Publish", TopicArn=topic, Message="raw")
    assert bodies(inner) == ["raw"]


def test_a_message_may_differ_by_protocol(inner, sns, topic):
    subscribed(inner, topic, RawMessageDelivery="true")
    texts = json.dumps({"default": "for all", "sqs": "for queues"})
    sns.call("Publish", TopicArn=topic, Message=texts, MessageStructure="json")
    assert bodies(inner) == ["for queues"]


def test_a_filter_lets_pass_what_it_names(inner, sns, topic):
    subscribed(inner, topic, RawMessageDelivery="true", FilterPolicy=json.dumps({"kind": ["wanted"]}))
    for kind in ("wanted", "other"):
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        sns.call("Publish", TopicArn=topic, Message=kind, MessageAttributes=attributes)
    sns.call("Publish", TopicArn=topic, Message="without")
    assert bodies(inner) == ["wanted"]


def test_a_queue_that_is_gone_holds_nobody_up(inner, sns, topic):
    subscribed(inner, topic, RawMessageDelivery="true")
    gone = f"arn:aws:sqs:us-east-1:{ACCOUNT}:gone"
    sns.call("Subscribe", TopicArn=topic, Protocol="sqs", Endpoint=gone)
    sns.call("Publish", TopicArn=topic, Message="hello")
    assert bodies(inner) == ["hello"]


def test_batches(inner, sns, topic):
    subscribed(inner, topic, RawMessageDelivery="true")
    entries = [{"Id": "1", "Message": "a"}, {"Id": "2", "Message": ""}]
    said = sns.call("PublishBatch", TopicArn=topic, PublishBatchRequestEntries=entries)
    assert [each["Id"] for each in said["Successful"]] == ["1"]
    assert [(each["Id"], each["Code"]) for each in said["Failed"]] == [("2", "InvalidParameter")]
    assert bodies(inner) == ["a"]
    many = [{"Id": str(number), "Message": "a"} for number in range(11)]
    assert sns.refusal("PublishBatch", TopicArn=topic, PublishBatchRequestEntries=many) == (
        "TooManyEntriesInBatchRequest",
        "The batch request contains more entries than permissible.",
    )


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"Message": ""}, "Invalid parameter: Empty message"),
        ({"Message": "x" * 262_145}, "Invalid parameter: Message too long"),
        ({"Message": "x", "Subject": ""}, "Invalid parameter: Subject"),
        (
            {"Message": "{}", "MessageStructure": "json"},
            "Invalid parameter: Message Structure - No default entry in JSON message body",
        ),
        (
            {"Message": "no", "MessageStructure": "json"},
            "Invalid parameter: Message Structure - JSON message body failed to parse",
        ),
    ],
    ids=["empty", "long", "subject", "no default", "no JSON"],
)
def test_messages_are_held_to_their_rules(sns, topic, params, text):
    assert sns.refusal("Publish", TopicArn=topic, **params) == ("InvalidParameter", text)


def test_permissions_are_statements_of_a_topics_policy(sns, topic):
    both = {"AWSAccountId": ["111111111111", "222222222222"], "ActionName": ["Publish", "Subscribe"]}
    sns.call("AddPermission", TopicArn=topic, Label="both", **both)
    sns.call("AddPermission", TopicArn=topic, Label="one", AWSAccountId=["111111111111"], ActionName=["Publish"])

    def statements():
        return json.loads(sns.call("GetTopicAttributes", TopicArn=topic)["Attributes"]["Policy"])["Statement"]

    default, first, second = statements()
    assert default["Sid"] == "__default_statement_ID"
    assert (first["Principal"]["AWS"], first["Action"]) == (
        ["arn:aws:iam::111111111111:root", "arn:aws:iam::222222222222:root"],
        ["SNS:Publish", "SNS:Subscribe"],
    )
    assert (second["Principal"]["AWS"], second["Action"]) == ("arn:aws:iam::111111111111:root", "SNS:Publish")
    again = sns.refusal("AddPermission", TopicArn=topic, Label="one", **both)
    assert again == ("InvalidParameter", "Invalid parameter: Statement already exists")
    odd = {"AWSAccountId": ["111111111111"], "ActionName": ["Nonsense"]}
    refused = sns.refusal("AddPermission", TopicArn=topic, Label="odd", **odd)
    assert refused == ("InvalidParameter", "Invalid parameter: Policy statement action out of service scope!")
    for label in ("both", "not-there"):
        sns.call("RemovePermission", TopicArn=topic, Label=label)
    assert [each["Sid"] for each in statements()] == ["__default_statement_ID", "one"]
    assert sns.refusal("RemovePermission", TopicArn=f"{topic}-2", Label="one")[0] == "NotFound"
