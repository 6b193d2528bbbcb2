"""SQS and SNS: messages that were sent are there, once, and those that were deleted are not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.durability.witness import Doubtful, Hand, answered
from tests.running import RunningClary

MOST = 25
"""Messages, before some are deleted."""

PATIENCE = 60
"""Looks at a queue until all of it was seen: each shows up to ten."""


class Letters(Hand):
    """A queue, and a topic that it listens to."""

    def __init__(self, clary: RunningClary, seed: str, number: int) -> None:
        super().__init__(clary, seed)
        self._sqs, self._sns = clary.client("sqs"), clary.client("sns")
        self._queue = self._sqs.create_queue(QueueName=f"letters-{number}")["QueueUrl"]
        self._topic = self._sns.create_topic(Name=f"letters-{number}")["TopicArn"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        self._sns.subscribe(
            TopicArn=self._topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
        )
        policy = (
            '{"Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},'
            f' "Action": "sqs:SendMessage", "Resource": "{arn}"}}]}}'
        )
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": policy})
        self._there: set[str] = set()
        self._perhaps: set[str] = set()
        """Sent or deleted, and nobody knows."""

    def steps(self) -> Sequence[Callable[[], None]]:
        return (self._send, self._send_batch, self._publish, self._take)

    def check(self) -> None:
        found = self._all()
        assert len(found) == len(set(found)), f"twice in {self._queue}: {found}"
        assert self._there <= set(found), f"lost: {self._there - set(found)}"
        assert set(found) <= self._there | self._perhaps, f"not sent, or deleted: {set(found) - self._there}"
        self._there, self._perhaps = set(found), set()

    def _sent(self, bodies: Sequence[str], call: Callable[..., Any], **params: Any) -> None:
        if len(self._there) + len(self._perhaps) > MOST:
            self._take()
            return
        try:
            answer = answered(call, **params)
        except Doubtful:
            self._perhaps.update(bodies)
            raise
        assert not answer.get("Failed"), answer
        self._there.update(bodies)

    def _send(self) -> None:
        body = self.fresh()
        self._sent([body], self._sqs.send_message, QueueUrl=self._queue, MessageBody=body)

    def _send_batch(self) -> None:
        bodies = [self.fresh() for _ in range(3)]
        entries = [{"Id": str(at), "MessageBody": body} for at, body in enumerate(bodies)]
        self._sent(bodies, self._sqs.send_message_batch, QueueUrl=self._queue, Entries=entries)

    def _publish(self) -> None:
        body = self.fresh()
        self._sent([body], self._sns.publish, TopicArn=self._topic, Message=body)

    def _take(self) -> None:
        """Receive some, and delete one of them."""
        messages = answered(
            self._sqs.receive_message, QueueUrl=self._queue, MaxNumberOfMessages=3, VisibilityTimeout=0
        ).get("Messages", [])
        message = self.any_of(messages)
        assert message["Body"] in self._there | self._perhaps, message["Body"]
        self._there.discard(message["Body"])
        try:
            answered(self._sqs.delete_message, QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        except Doubtful:
            self._perhaps.add(message["Body"])
            raise
        self._perhaps.discard(message["Body"])

    def _all(self) -> list[str]:
        """What is in it: what was received goes to the end of the queue."""
        count = int(self._attribute("ApproximateNumberOfMessages"))
        found: dict[str, str] = {}
        for _ in range(PATIENCE):
            if len(found) >= count:
                break
            received = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
            found |= {each["MessageId"]: each["Body"] for each in received.get("Messages", [])}
        assert len(found) == count, f"{count} messages, and {len(found)} were received"
        return list(found.values())

    def _attribute(self, name: str) -> str:
        told: dict[str, str] = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=[name])["Attributes"]
        return told[name]
