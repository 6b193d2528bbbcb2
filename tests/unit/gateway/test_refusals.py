"""The same refusal in the words of each service."""

import pytest

from clary.calls import Principal
from clary.gateway.refusals import worded
from clary.identity.denial import denied
from clary.identity.policy import Decision

ANN = Principal("user", "0", "arn:aws:iam::0:user/ann", "arn:aws:iam::0:user/ann", "AIDA")
TOPIC = "arn:aws:sns:us-east-1:0:t"


@pytest.mark.parametrize(
    ("protocol", "service", "code"),
    [
        ("query", "sns", "AuthorizationError"),
        ("query", "iam", "AccessDenied"),
        ("json", "sqs", "AccessDeniedException"),
        ("rest-xml", "s3control", "AccessDenied"),
    ],
)
def test_who_may_not_reads_it_as_each_service_says_it(protocol, service, code):
    refused = denied(service, ANN, f"{service}:Do", TOPIC, Decision("implicitDeny", "identity"))
    assert worded(refused, protocol, service).code == code


def test_sns_writes_its_actions_in_capitals():
    refused = denied("sns", ANN, "sns:Publish", TOPIC, Decision("implicitDeny", "identity"))
    assert refused.message == (
        f"User: {ANN.arn} is not authorized to perform: SNS:Publish on resource: {TOPIC} because no identity-based "
        "policy allows the SNS:Publish action"
    )
