"""What functions have to say to queues and topics: asked for as their role, and only what it may."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from clary.errors import AccessDenied
from clary.functions.letters import Letter
from clary.gateway.function_letters import FunctionLetters
from clary.services.catalogue import REGISTRY

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"
ATTRIBUTES = {"ErrorCode": ("Number", "200")}


class Identity:
    """Lets roles do what is `allowed`."""

    def __init__(self, *allowed):
        self.allowed = set(allowed)

    def directory(self):
        return SimpleNamespace(identities={"subjects": {}})

    def authorise(self, call, needed):
        for access in needed:
            if (call.principal.identity, access.action, access.resource) not in self.allowed:
                raise AccessDenied(f"{access.action} on {access.resource}")


def sent(letter, *allowed):
    """The calls that control gets."""
    calls = []

    async def control(call):
        calls.append(call)
        return {}

    asyncio.run(FunctionLetters(REGISTRY, Identity(*allowed), control, None, ACCOUNT)(letter))
    return calls


@pytest.mark.parametrize(
    ("arn", "right", "operation", "params"),
    [
        (
            f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q",
            "sqs:SendMessage",
            "SendMessage",
            {"QueueUrl": f"/{ACCOUNT}/q", "MessageBody": "7"},
        ),
        (
            f"arn:aws:sns:eu-west-1:{ACCOUNT}:t",
            "sns:Publish",
            "Publish",
            {"TopicArn": f"arn:aws:sns:eu-west-1:{ACCOUNT}:t", "Message": "7"},
        ),
    ],
    ids=["queue", "topic"],
)
def test_a_letter_is_a_call_of_the_role(arn, right, operation, params):
    letter = Letter(arn, ROLE, FUNCTION, "7", ATTRIBUTES)
    (call,) = sent(letter, (ROLE, right, arn))
    attributes = {"ErrorCode": {"DataType": "Number", "StringValue": "200"}}
    assert (call.operation, call.region) == (operation, "eu-west-1")
    assert call.params == {**params, "MessageAttributes": attributes}
    assert call.principal.identity == ROLE
    with pytest.raises(AccessDenied, match=right):
        sent(letter)
