"""Deliveries at the edge: who is let in, and what is asked of control."""

import json
import logging

import pytest

from clary.edge.hooks import MOST_BYTES, PREFIX, HookSite, Refusals
from clary.errors import AWSError, ServiceUnavailable
from clary.gateway.incoming import Incoming
from clary.gateway.line import AsgiLine
from clary.hooks.deliveries import sign
from clary.hooks.published import FILE, for_secret
from clary.identity.sealed_text import TextSealer
from clary.publish import Publisher
from clary.settings import Settings
from clary.wire.http import HttpRequest

SECRET = "s3cret"
COMMIT = "7638417db6d59f3c431d3e1f261cc637155684cd"
PUSH = json.dumps({"ref": "refs/heads/main", "after": COMMIT, "pusher": {"name": "ada"}}).encode()


class Door:
    """Control, which begins run 7, or answers what it is told to."""

    def __init__(self):
        self.asked = []
        self.refusal = None

    async def ask(self, question, params):
        self.asked.append((question, params))
        if self.refusal:
            raise self.refusal
        return {"run": 7, "status": "Queued"}


@pytest.fixture
def door():
    return Door()


@pytest.fixture
def deliver(tmp_path, door):
    settings = Settings(data_dir=tmp_path)
    site = HookSite(settings, door)
    sealed = TextSealer.of(tmp_path).seal(SECRET, for_secret("heights"))
    foreign = TextSealer(b"k" * 32).seal(SECRET, for_secret("moved"))
    document = {"heights": {"secret": sealed, "branch": "main"}, "moved": {"secret": foreign, "branch": "main"}}
    Publisher(settings.run_dir / FILE).publish(document)

    async def delivered(body=PUSH, name="heights", method="POST", **headers):
        signed = {"x-github-event": "push", "x-hub-signature-256": f"sha256={sign(body, SECRET)}"}
        request = HttpRequest(method, PREFIX + name, headers={"host": "clary.example.org", **(headers or signed)})
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive():
            return messages.pop(0)

        assert site.takes(request)
        answer = await site.answer(request, Incoming(AsgiLine(receive, None), 1.0))
        return answer.status, json.loads(answer.body)

    return delivered


async def test_a_push_is_handed_to_control(deliver, door):
    assert await deliver() == (202, {"run": 7, "status": "Queued"})
    [(question, params)] = door.asked
    assert question == "hook-deliver"
    assert (params["name"], params["commit"], params["by"]) == ("heights", COMMIT, "ada")


@pytest.mark.parametrize(
    ("body", "event", "said"),
    [
        (b"{}", "ping", "pushes to main are built"),
        (PUSH, "issues", "Only pushes are built, not issues."),
        (PUSH.replace(b"main", b"other"), "push", "Only pushes to main are built."),
        (PUSH.replace(COMMIT.encode(), b"0" * 40), "push", "main was deleted"),
    ],
    ids=["ping", "event", "branch", "deleted"],
)
async def test_where_nothing_is_to_be_done_control_is_not_asked(deliver, door, body, event, said):
    headers = {"x-github-event": event, "x-hub-signature-256": f"sha256={sign(body, SECRET)}"}
    status, answer = await deliver(body, **headers)
    assert status == 200
    assert said in answer["message"]
    assert door.asked == []


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"x-github-event": "push"}, 401),
        ({"x-hub-signature-256": "sha256=" + "0" * 64}, 403),
        ({"name": "nobody"}, 404),
        ({"name": "heights/more"}, 404),
        ({"method": "GET"}, 405),
        ({"body": b"x" * (MOST_BYTES + 1)}, 413),
        ({"name": "moved"}, 503),
    ],
    ids=["unsigned", "wrong", "unknown", "below", "get", "large", "sealed-elsewhere"],
)
async def test_who_is_refused_costs_control_nothing_and_leaves_a_line(deliver, door, caplog, asked, status):
    assert (await deliver(**asked))[0] == status
    assert door.asked == []
    assert "was refused" in caplog.text


@pytest.mark.parametrize(
    "refusal",
    [AWSError("Conflict", "delivered before", status=409), ServiceUnavailable("starting")],
    ids=["409", "503"],
)
async def test_what_control_refuses_is_told(deliver, door, refusal):
    door.refusal = refusal
    assert await deliver() == (refusal.status, {"message": refusal.message})


def test_who_has_no_secret_cannot_fill_the_disk(caplog):
    refusals = Refusals()
    with caplog.at_level(logging.WARNING):
        for _ in range(1000):
            refusals.say("heights", "203.0.113.7", "no\nline of its own")
    assert len(caplog.records) == 20
