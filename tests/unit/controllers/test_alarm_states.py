"""What a deployment is told of its alarms: as its role may see them."""

from __future__ import annotations

import pytest

from clary.calls import Principal, account_root
from clary.controllers.alarm_states import AlarmStates
from clary.controllers.rollout import Unreadable
from clary.errors import AWSError
from clary.store.rows import Key

OWNER = Key("endpoint", "000000000000", "us-east-1", "e")
ROLE = "arn:aws:iam::000000000000:role/r"
FOUND = {
    "MetricAlarms": [{"AlarmName": "errors", "StateValue": "OK"}],
    "CompositeAlarms": [{"AlarmName": "all", "StateValue": "ALARM"}],
}


def acting(role: str, session: str) -> Principal:
    return Principal("assumed-role", "000000000000", f"{role}/{session}", role, "AROA:e")


class CloudWatch:
    """Answers, or refuses, and remembers who asked."""

    def __init__(self, error: AWSError | None = None) -> None:
        self.error = error
        self.calls = []

    def __call__(self, call):
        self.calls.append(call)
        if self.error:
            raise self.error
        return FOUND


def test_metric_and_composite_alarms_are_asked_for_as_the_role():
    cloudwatch = CloudWatch()
    states = AlarmStates(cloudwatch, acting).read(OWNER, ROLE, ["errors", "all", "missing"])
    assert states == {"errors": "OK", "all": "ALARM"}
    (call,) = cloudwatch.calls
    assert (call.service, call.operation, call.principal.identity) == ("cloudwatch", "DescribeAlarms", ROLE)
    assert call.params == {"AlarmNames": ["errors", "all", "missing"], "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}


def test_a_model_without_a_role_asks_as_the_account():
    cloudwatch = CloudWatch()
    AlarmStates(cloudwatch, acting).read(OWNER, "", ["errors"])
    assert cloudwatch.calls[0].principal == account_root("000000000000")


@pytest.mark.parametrize(
    ("code", "expected"),
    [("AccessDenied", Unreadable("said")), ("ThrottlingException", None), ("ServiceUnavailable", None)],
)
def test_what_is_forbidden_stays_so_and_what_is_busy_is_asked_again(code, expected):
    assert AlarmStates(CloudWatch(AWSError(code, "said")), acting).read(OWNER, ROLE, ["errors"]) == expected
