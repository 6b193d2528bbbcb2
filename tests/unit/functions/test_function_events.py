"""Events that nobody waits for: tried again as often as their function says, told to destinations, never lost."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from clary.errors import AWSError
from clary.functions import events
from clary.functions.errors import not_found, throttled
from clary.functions.event_files import Event, PostedEvents
from clary.functions.events import Events
from clary.functions.invoking import Invocation, Outcome
from clary.functions.letters import Letter
from clary.functions.table import EventRules
from tests.unit.functions.test_function_table import FUNCTION

DESTINATION = "arn:aws:lambda:us-east-1:000000000000:function:told"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:told"
DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"
ROLE = "arn:aws:iam::000000000000:role/r"
FAILED = Outcome(b'{"errorType": "E"}', "$LATEST", "Unhandled")
DONE = Outcome(b"1", "$LATEST")


class Functions:
    """Answers each invocation with the next of `outcomes`, by name; knows `f` and `told`."""

    def __init__(self, rules=None, **outcomes):
        self.outcomes = {name: list(each) for name, each in outcomes.items()}
        self.asked, self.over = [], asyncio.Event()
        self.expected = sum(map(len, self.outcomes.values()))
        self.posted, self.refusing = [], []
        self.known = {
            "f": replace(FUNCTION, events={"": rules or EventRules()}),
            "told": replace(FUNCTION, name="told"),
        }

    def find(self, account, region, name, qualifier=""):
        if name not in self.known:
            raise not_found(name)
        return self.known[name]

    async def post(self, letter):
        if self.refusing:
            raise self.refusing.pop(0)
        self.posted.append(letter)

    async def invoke(self, invocation):
        name = invocation.function.name
        self.asked.append((name, json.loads(invocation.event)))
        outcome = self.outcomes[name].pop(0)
        if len(self.asked) == self.expected:
            self.over.set()
        if isinstance(outcome, AWSError):
            raise outcome
        return outcome


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(events, "RETRY_SECONDS", (0.0, 0.0))
    monkeypatch.setattr(events, "_THROTTLED_SECONDS", (0.0, 0.0))


def carried_out(folder, functions, payload=b"7"):
    """What became of one event; when this returns nothing is left."""

    async def run():
        queue = Events(folder, functions, functions.post)
        await queue.accept(Invocation(functions.known["f"], "", payload, "event-1"))
        assert list(folder.glob("*.json")), "it is on the disk before its caller is answered"
        await asyncio.wait_for(functions.over.wait(), 60)
        await asyncio.wait_for(asyncio.gather(*queue._tasks), 60)
        queue.close()

    asyncio.run(run())
    assert not list(folder.glob("*.json"))
    return functions.asked


def test_one_that_is_answered_is_over(tmp_path):
    assert carried_out(tmp_path, Functions(f=[DONE])) == [("f", 7)]


@pytest.mark.parametrize(("retries", "tries"), [(0, 1), (1, 2), (2, 3)])
def test_one_that_fails_is_tried_as_often_as_the_function_says(tmp_path, retries, tries):
    functions = Functions(EventRules(retries=retries), f=[FAILED] * tries)
    assert carried_out(tmp_path, functions) == [("f", 7)] * tries


def test_one_that_was_refused_is_tried_again_without_counting(tmp_path):
    functions = Functions(EventRules(retries=0), f=[throttled(reserved=False), throttled(reserved=False), DONE])
    assert len(carried_out(tmp_path, functions)) == 3


def test_what_was_given_up_is_told(tmp_path):
    functions = Functions(EventRules(retries=1, on_failure=DESTINATION), f=[FAILED, FAILED], told=[DONE])
    _, _, (name, record) = carried_out(tmp_path, functions)
    assert name == "told"
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert (record["requestPayload"], record["responsePayload"]) == (7, {"errorType": "E"})


def to_queues(folder, rules, *outcomes, refusing=(), payload=b"7"):
    """What queues are told of one event of `f`, which has a dead-letter queue."""
    functions = Functions(rules, f=list(outcomes))
    version = replace(FUNCTION.versions["$LATEST"], role=ROLE, dead_letters=DEAD)
    functions.known["f"] = replace(functions.known["f"], versions={"$LATEST": version})
    functions.refusing = list(refusing)
    carried_out(folder, functions, payload)
    return functions.posted


def test_a_queue_is_told_of_what_went_well(tmp_path):
    (letter,) = to_queues(tmp_path, EventRules(on_success=QUEUE), DONE)
    assert (letter.arn, letter.role, letter.attributes) == (QUEUE, ROLE, {})
    said = json.loads(letter.body)
    assert said["requestContext"] | {"requestId": ""} == {
        "requestId": "",
        "functionArn": f"{FUNCTION.arn}:$LATEST",
        "condition": "Success",
        "approximateInvokeCount": 1,
    }
    assert said["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert (said["requestPayload"], said["responsePayload"]) == (7, 1)


def test_a_dead_letter_is_the_event_with_what_went_wrong(tmp_path):
    failed = Outcome(b'{"errorMessage": "why"}', "$LATEST", "Unhandled")
    told, dead = to_queues(tmp_path, EventRules(retries=0, on_failure=QUEUE), failed)
    assert json.loads(told.body)["responseContext"]["functionError"] == "Unhandled"
    assert (dead.arn, dead.body) == (DEAD, "7")
    assert dead.attributes == {
        "RequestID": ("String", "event-1"),
        "ErrorCode": ("Number", "200"),
        "ErrorMessage": ("String", "why"),
    }


def test_a_letter_that_nobody_could_take_is_sent_again_and_its_function_not_asked_again(tmp_path):
    away = [AWSError("ServiceUnavailable", "", status=503)] * 3
    (letter,) = to_queues(tmp_path, EventRules(retries=0), FAILED, refusing=away)
    assert letter.arn == DEAD


def test_a_letter_that_is_refused_is_let_go_and_the_next_one_sent(tmp_path):
    refused = [AWSError("AccessDenied", "", status=403)]
    (letter,) = to_queues(tmp_path, EventRules(retries=0, on_failure=QUEUE), FAILED, refusing=refused)
    assert letter.arn == DEAD


def test_letters_that_an_edge_that_was_killed_has_left_are_sent(tmp_path):
    functions = Functions()
    event = Event("e", "000000000000", "us-east-1", "gone", "", "7", "", accepted=0.0)
    letter = Letter(DEAD, ROLE, FUNCTION.arn, "7", {"ErrorCode": ("Number", "200")})

    async def killed():
        queue = Events(tmp_path, functions, functions.post)
        await queue._keep(replace(event, letters=(letter,)))
        queue.close()

    async def next_one():
        queue = Events(tmp_path, functions, functions.post)
        await queue._take_up()
        await asyncio.wait_for(asyncio.gather(*queue._tasks), 60)
        queue.close()

    asyncio.run(killed())
    asyncio.run(next_one())
    (sent,) = functions.posted
    assert (sent.arn, tuple(sent.attributes["ErrorCode"])) == (DEAD, ("Number", "200"))
    assert not list(tmp_path.glob("*.json"))


def test_one_that_is_too_old_is_given_up(tmp_path):
    functions = Functions(EventRules(age=-1, on_failure=DESTINATION), f=[FAILED], told=[DONE])
    _, (_, record) = carried_out(tmp_path, functions)
    assert record["requestContext"]["condition"] == "EventAgeExceeded"


def test_functions_that_are_one_another_s_destination_come_to_an_end(tmp_path):
    links = events._LINKS
    functions = Functions(EventRules(on_success=DESTINATION), f=[DONE], told=[DONE] * links)
    functions.known["told"] = replace(functions.known["told"], events={"": EventRules(on_success=DESTINATION)})
    assert len(carried_out(tmp_path, functions)) == links + 1


def test_what_an_edge_that_was_killed_has_left_is_taken_up(tmp_path):
    functions = Functions(f=[DONE])

    async def killed():
        queue = Events(tmp_path, functions, functions.post)
        await queue._keep(Event("e", "000000000000", "us-east-1", "f", "", "7", "", accepted=0.0))
        queue.close()

    async def next_one():
        queue = Events(tmp_path, functions, functions.post)
        watching = asyncio.create_task(queue.watch())
        await asyncio.wait_for(functions.over.wait(), 60)
        await asyncio.gather(*queue._tasks)
        watching.cancel()
        queue.close()

    asyncio.run(killed())
    asyncio.run(next_one())
    assert functions.asked == [("f", 7)]


def test_one_that_comes_before_those_of_an_earlier_edge_are_read_is_not_one_of_them(tmp_path):
    functions = Functions(f=[DONE])

    async def run():
        queue = Events(tmp_path, functions, functions.post)
        await queue._keep(Event("event-1", "000000000000", "us-east-1", "f", "", "7", "", accepted=0.0))
        watching = asyncio.create_task(queue.watch())
        await queue.accept(Invocation(functions.known["f"], "", b"7", "event-1"))
        await asyncio.wait_for(functions.over.wait(), 60)
        await asyncio.wait_for(asyncio.gather(*queue._tasks), 60)
        watching.cancel()
        queue.close()

    asyncio.run(run())
    assert functions.asked == [("f", 7)]


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_what_control_posts_is_taken_up(tmp_path, monkeypatch, when):
    monkeypatch.setattr(events, "_POSTED_SECONDS", 0.01)
    functions = Functions(f=[DONE])

    async def run():
        queue, post = Events(tmp_path, functions, functions.post), PostedEvents(tmp_path)
        posted = Invocation(functions.known["f"], "", b"1", "e")
        if when == "before":
            await post.accept(posted)
        watching = asyncio.create_task(queue.watch())
        if when == "meanwhile":
            await asyncio.sleep(0)  # it has begun
            await post.accept(posted)
        await asyncio.wait_for(functions.over.wait(), 60)
        await asyncio.wait_for(asyncio.gather(*queue._tasks), 60)
        watching.cancel()
        queue.close()

    asyncio.run(run())
    assert functions.asked == [("f", 1)]
    assert not list(tmp_path.glob("*.json"))


def test_a_file_that_is_no_event_stops_nobody(tmp_path):
    (tmp_path / "torn.json").write_text('{"id": ')
    assert carried_out_beside_torn(tmp_path) == [("f", 7)]


def carried_out_beside_torn(folder):
    functions = Functions(f=[DONE])

    async def run():
        queue = Events(folder, functions, functions.post)
        watching = asyncio.create_task(queue.watch())
        await queue.accept(Invocation(functions.known["f"], "", b"7", "event-1"))
        await asyncio.wait_for(functions.over.wait(), 60)
        watching.cancel()
        queue.close()

    asyncio.run(run())
    return functions.asked
