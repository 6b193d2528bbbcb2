"""Rotation: the steps that a secret's function is asked for, and what follows of its answers."""

import json
import time
from datetime import UTC, datetime

import pytest

from clary.controllers.key_effects import KeyController
from clary.errors import AccessDenied, AWSError
from clary.keys.rotation import PAUSES
from clary.services.secretsmanager import schedule
from clary.services.secretsmanager.rotation import step_done

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:rotate"
STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]
TOKENS = [f"{number:032d}" for number in range(9)]
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


class Rotations:
    """Secrets whose function answers as a test says; `sent` are its events."""

    def __init__(self, secrets):
        self.secrets, self.door = secrets, secrets.inner.door
        self.sent, self.closed, self.ahead = [], False, 0.0
        store = secrets.inner.store
        self.controller = KeyController(
            secrets.inner.settings, store, self, secrets.inner.woken.append, lambda: time.time() + self.ahead
        )

    def __call__(self, call):
        """The inner door."""
        if call.service != "lambda":
            return self.door(call)
        if self.closed or call.params["FunctionName"] != FUNCTION:
            raise AccessDenied("not let in")
        assert (call.principal.identity, call.parent) == ("secretsmanager.amazonaws.com", self.row.arn)
        if call.params["InvocationType"] == "Event":
            self.sent.append((call.request_id, json.loads(call.params["Payload"])))
        return {"StatusCode": 202}

    @property
    def row(self):
        [row] = self.secrets.inner.store.read.rows("secret")
        return row

    def go_on(self):
        """What the controller does now; seconds until it has something to do again."""
        return self.controller.reconcile(self.row.key)

    def answer(self, error="", request=None):
        """Of the function to what it was asked last."""
        told = {"secret": self.row.arn, "request": request or self.sent[-1][0], "error": error}
        step_done(self.secrets.inner.store, lambda key: None, told)
        return self.go_on()

    def stages(self):
        return self.secrets.stages()

    def described(self):
        return self.secrets("DescribeSecret", SecretId="app/db")


@pytest.fixture
def rotations(secrets):
    made = Rotations(secrets)
    secrets.inner.door = made
    secrets.create(ClientRequestToken=TOKENS[0])
    yield made
    secrets.inner.door = made.door


def rotate(rotations, token=TOKENS[1], **params):
    asked = {"SecretId": "app/db", "RotationLambdaARN": FUNCTION, "ClientRequestToken": token, **params}
    said = rotations.secrets("RotateSecret", **asked)
    rotations.go_on()
    return said


def carry_out(rotations, token=TOKENS[1], text="new"):
    """All four steps, as a function does them."""
    rotations.secrets(
        "PutSecretValue", SecretId="app/db", ClientRequestToken=token, SecretString=text, VersionStages=["AWSPENDING"]
    )
    for _ in STEPS[1:]:
        rotations.answer()
    moved = {"MoveToVersionId": token, "RemoveFromVersionId": rotations.row.state["stages"]["AWSCURRENT"]}
    rotations.secrets("UpdateSecretVersionStage", SecretId="app/db", VersionStage="AWSCURRENT", **moved)
    return rotations.answer()


def test_the_function_is_asked_for_one_step_after_the_other(rotations):
    said = rotate(rotations, RotationRules={"AutomaticallyAfterDays": 30})
    assert said["VersionId"] == TOKENS[1]
    assert rotations.stages() == {TOKENS[0]: ["AWSCURRENT"], TOKENS[1]: ["AWSPENDING"]}
    pending = {"SecretId": "app/db", "VersionId": TOKENS[1], "VersionStage": "AWSPENDING"}
    assert rotations.secrets.refusal("GetSecretValue", **pending)[0] == "ResourceNotFoundException", "functions ask so"
    until = carry_out(rotations)
    assert [event["Step"] for _, event in rotations.sent] == STEPS
    assert {(event["Token"], event["SecretId"]) for _, event in rotations.sent} == {(TOKENS[1], rotations.row.arn)}
    assert len({request for request, _ in rotations.sent}) == len(STEPS)
    described = rotations.described()
    assert rotations.secrets.value() == "new"
    assert described["LastRotatedDate"] >= described["CreatedDate"]
    assert described["NextRotationDate"].time().isoformat() == "00:00:00"
    assert until is not None


def test_an_answer_that_comes_twice_counts_once(rotations):
    rotate(rotations)
    first = rotations.sent[0][0]
    rotations.answer()
    rotations.answer(request=first)
    assert [event["Step"] for _, event in rotations.sent] == STEPS[:2]


def test_a_controller_that_dies_after_it_has_asked_asks_for_the_same(rotations):
    rotate(rotations)
    row = rotations.row
    run = {**row.state["rotation"]["run"], "asked": False}
    rotations.controller._save(
        type(row)(**{**row.__dict__, "state": {**row.state, "rotation": {**row.state["rotation"], "run": run}}})
    )
    rotations.go_on()
    assert rotations.sent[0] == rotations.sent[1]


def test_a_step_that_fails_is_tried_again_from_the_first_and_given_up(rotations):
    rotate(rotations)
    rotations.answer()
    rotations.answer("no such table")
    for _ in PAUSES:
        assert rotations.row.state["rotation"]["run"]["due"] > time.time()
        rotations.ahead += 3600
        rotations.go_on()
        assert rotations.sent[-1][1] == {"Step": STEPS[0], "Token": TOKENS[1], "SecretId": rotations.row.arn}
        rotations.answer("no such table")
    assert rotations.row.state["rotation"]["run"] is None
    assert rotations.secrets.value() == "hunter2"
    text = "A previous rotation isn't complete. That rotation will be reattempted."
    refused = rotations.secrets.refusal("RotateSecret", SecretId="app/db", ClientRequestToken=TOKENS[2])
    assert refused == ("InvalidRequestException", text)
    asked = len(rotations.sent)
    rotations.go_on()
    assert rotations.sent[asked:] == [
        (rotations.sent[-1][0], {"Step": STEPS[0], "Token": TOKENS[1], "SecretId": rotations.row.arn})
    ]


def test_a_function_that_has_not_moved_the_label_has_failed(rotations):
    rotate(rotations)
    for _ in STEPS:
        rotations.answer()
    assert "LastRotatedDate" not in rotations.described()
    assert rotations.row.state["rotation"]["run"]["tries"] == 1


def test_the_same_request_again_is_the_same_rotation(rotations):
    rotate(rotations)
    rotate(rotations)
    assert len(rotations.sent) == 1
    assert rotations.secrets.refusal("RotateSecret", SecretId="app/db", ClientRequestToken=TOKENS[2])[0] == (
        "InvalidRequestException"
    )


def test_a_rotation_is_due_when_its_rules_say_so(rotations):
    rotate(rotations, RotationRules={"ScheduleExpression": "rate(10 days)", "Duration": "3h"})
    carry_out(rotations)
    rotations.ahead = rotations.described()["NextRotationDate"].timestamp() - time.time() - 60
    rotations.go_on()
    assert len(rotations.sent) == len(STEPS)
    rotations.ahead += 120
    rotations.go_on()
    _, event = rotations.sent[-1]
    assert event["Step"] == STEPS[0]
    assert event["Token"] not in TOKENS


def test_without_a_rotation_at_once_the_function_is_tried(rotations):
    rotate(rotations, RotateImmediately=False)
    assert [event["Step"] for _, event in rotations.sent] == ["testSecret"]
    assert TOKENS[1] in rotations.stages()
    rotations.answer()
    assert rotations.stages() == {TOKENS[0]: ["AWSCURRENT"]}
    assert rotations.described()["RotationEnabled"]
    assert "LastRotatedDate" not in rotations.described()


def test_a_cancelled_rotation_does_not_go_on(rotations):
    rotate(rotations, RotationRules={"AutomaticallyAfterDays": 1})
    rotations.secrets("CancelRotateSecret", SecretId="app/db")
    assert rotations.answer() is None
    assert len(rotations.sent) == 1
    described = rotations.described()
    assert (described["RotationEnabled"], described.get("NextRotationDate")) == (False, None)


def test_a_function_that_does_not_let_in_is_refused_and_later_tried_again(rotations):
    closed = "Secrets Manager cannot invoke the specified Lambda function."
    asked = {"SecretId": "app/db", "ClientRequestToken": TOKENS[1]}
    code, text = rotations.secrets.refusal("RotateSecret", RotationLambdaARN=f"{FUNCTION}-2", **asked)
    assert code == "AccessDeniedException"
    assert text.startswith(closed)
    text = "No Lambda rotation function ARN is associated with this secret."
    assert rotations.secrets.refusal("RotateSecret", **asked) == ("InvalidRequestException", text)
    rotations.secrets("RotateSecret", RotationLambdaARN=FUNCTION, **asked)
    rotations.closed = True
    assert rotations.go_on() == pytest.approx(PAUSES[0], abs=5)


def test_rules_that_are_none(rotations):
    both = {"AutomaticallyAfterDays": 3, "ScheduleExpression": "rate(3 days)"}
    odd = [{"ScheduleExpression": text} for text in ("rate(1 hour)", "rate(3 weeks)", "cron(0 99 * * ? *)", "now")]
    for rules in (both, *odd):
        refused = rotations.secrets.refusal(
            "RotateSecret", SecretId="app/db", RotationLambdaARN=FUNCTION, RotationRules=rules
        )
        assert refused[0] == "InvalidParameterException"


@pytest.mark.parametrize(
    ("rules", "then"),
    [
        ({}, None),
        ({"AutomaticallyAfterDays": 1}, datetime(2026, 11, 23, tzinfo=UTC)),
        ({"ScheduleExpression": "rate(2 days)"}, datetime(2026, 11, 24, tzinfo=UTC)),
        ({"ScheduleExpression": "rate(12 hours)"}, datetime(2026, 11, 22, 21, tzinfo=UTC)),
        ({"ScheduleExpression": "cron(0 16 1 * ? *)"}, datetime(2026, 12, 1, 16, tzinfo=UTC)),
    ],
)
def test_the_next_date(rules, then):
    schedule.check(rules)
    assert schedule.following(rules, NOW) == then


def test_an_error_of_ours_is_no_answer_of_the_function(rotations):
    rotations.secrets("RotateSecret", SecretId="app/db", RotationLambdaARN=FUNCTION, ClientRequestToken=TOKENS[1])

    def away(_call):
        raise AWSError("ServiceUnavailable", "", status=503)

    rotations.controller._invoke = away
    with pytest.raises(AWSError):
        rotations.go_on()
    assert rotations.row.state["rotation"]["run"]["tries"] == 0
