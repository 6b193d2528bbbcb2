"""SQS of a control that has no edge: reception as the edge asks for it."""

import pytest

from clary.services.sqs.reception import receive


class Sqs:
    """Queues of one Clary, by name."""

    def __init__(self, inner):
        self.inner, self.now = inner, 0

    def __call__(self, operation, **params):
        return self.inner("sqs", operation, **params)

    def refusal(self, operation, **params):
        return self.inner.refusal("sqs", operation, **params)

    def create(self, name="q", **attributes):
        return self("CreateQueue", QueueName=name, Attributes=attributes)["QueueUrl"]

    def send(self, url, body="text", **params):
        return self("SendMessage", QueueUrl=url, MessageBody=body, **params)

    def receive(self, url, **params):
        asked = {"account": self.inner.principal.account, "region": "us-east-1"}
        said = receive(self.inner.store.read, self.inner.messages, {**asked, "params": {"QueueUrl": url, **params}})
        return said["output"].get("Messages", [])

    def bodies(self, url, **params):
        return [message["Body"] for message in self.receive(url, MaxNumberOfMessages=10, **params)]

    def attributes(self, url, *names):
        return self("GetQueueAttributes", QueueUrl=url, AttributeNames=list(names or ["All"])).get("Attributes", {})

    def arn(self, url):
        return self.attributes(url, "QueueArn")["QueueArn"]


@pytest.fixture
def sqs(inner):
    return Sqs(inner)
