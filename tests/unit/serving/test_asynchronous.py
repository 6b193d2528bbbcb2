"""Requests that wait: none is lost, none is asked for ever, and each outcome is told once it is written."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import threading
import time
from dataclasses import replace
from unittest.mock import Mock

import pytest

from clary.errors import AWSError
from clary.serving.asynchronous import effects, work
from clary.serving.asynchronous.backlog import Backlog
from clary.serving.asynchronous.config import ON_ERROR, Asynchronous
from clary.serving.asynchronous.metering import AsyncMeter, Standing
from clary.serving.asynchronous.requests import AsyncRequest, Letter, Owner, RequestFiles
from clary.serving.asynchronous.work import AsyncWork
from clary.serving.metering import Place
from clary.serving.router import Router
from clary.serving.routes import Route, RouteTable, Target, VariantRoute, endpoint_id

from .conftest import ok, read_request, says

ME = ("000000000000", "us-east-1", "e")
OWNER = Owner(*ME, "born")
CONFIG = Asynchronous("born", "s3://b/out", "s3://b/bad", "", "ok-topic", "bad-topic", (ON_ERROR,), 2, "role")
AWAY = AWSError("ServiceUnavailable", "", status=503)
DENIED = AWSError("AccessDenied", "no", status=403)
LIMIT = 60


def request(name="r1", **more):
    known = {"input": "s3://b/in", "output": f"s3://b/out/{name}", "failure": f"s3://b/bad/{name}"}
    times = {"accepted": time.time(), "ttl": 600.0, "timeout": 60.0}
    return AsyncRequest(**{"id": name, "owner": OWNER, "inference_id": f"i-{name}", **known, **times, **more})


class Elsewhere:
    """Objects and topics; whatever stands in `refusing` is raised first, by name of the effect."""

    def __init__(self, **refusing):
        self.refusing = {name: list(errors) for name, errors in refusing.items()}
        self.objects, self.told, self.lines = {}, [], []

    def _maybe(self, name):
        if self.refusing.get(name):
            raise self.refusing[name].pop(0)

    async def fetch(self, owner, role, uri):
        assert (owner, role) == (OWNER, "role")
        self._maybe("fetch")
        return effects.Input(memoryview(b"1,2"), "text/libsvm")

    async def put(self, owner, config, uri, content, content_type):
        self._maybe("put")
        self.objects[uri] = (content, content_type)

    async def publish(self, owner, letter):
        self._maybe("publish")
        self.told.append((letter.topic, json.loads(letter.body)))

    async def log(self, owner, variant, line):
        self.lines.append(line)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(effects, "_PAUSES", (0.0, 0.0))
    for name in ("LOOK_SECONDS", "_LATER_SECONDS", "_TROUBLE_SECONDS"):
        monkeypatch.setattr(work, name, 0.01)


@pytest.fixture
def table(tmp_path):
    table = RouteTable(tmp_path)
    table.set(endpoint_id(*ME), route("c1"))
    return table


def route(*containers, config=CONFIG):
    targets = tuple(Target((container,)) for container in containers)
    return Route((VariantRoute("v", 1.0, targets),), asynchronous=config)


@contextlib.asynccontextmanager
async def working(tmp_path, servers, elsewhere):
    """One edge at work."""
    router = Router(tmp_path, servers.dial)
    made = AsyncWork(tmp_path / "requests", router, elsewhere)
    watching = asyncio.create_task(made.watch())
    following = asyncio.create_task(router.watch())
    try:
        yield made
    finally:
        for task in (watching, following):
            task.cancel()
        made.close()
        router.close()


async def until(holds):
    async with asyncio.timeout(LIMIT):
        while True:
            if holds():
                return
            await asyncio.sleep(0.01)


def left(tmp_path):
    return RequestFiles(tmp_path / "requests").left()


async def carried_out(tmp_path, servers, elsewhere, *requests, body=b""):
    """Everything that comes of them; nothing is left when this returns."""
    async with working(tmp_path, servers, elsewhere) as made:
        for each in requests:
            await made.accept(each, body)
            assert each in left(tmp_path) or each.output in elsewhere.objects, "durable before it is acknowledged"
        await until(lambda: not left(tmp_path))
    return elsewhere


async def test_what_lay_there_is_taken_up_after_a_fault_in_looking_for_it(tmp_path, table, servers, monkeypatch):
    await servers.start("c1", says(ok(b"0.5")))
    RequestFiles(tmp_path / "requests").write(request(), b"")
    router, elsewhere = Router(tmp_path, servers.dial), Elsewhere()
    made = AsyncWork(tmp_path / "requests", router, elsewhere)
    with monkeypatch.context() as exhausted:
        exhausted.setattr(RequestFiles, "left", Mock(side_effect=OSError(errno.EMFILE, "Too many open files")))
        with pytest.raises(OSError, match="Too many"):
            await made.watch()
    watching = asyncio.create_task(made.watch())
    await until(lambda: elsewhere.objects)
    watching.cancel()
    made.close()
    router.close()


async def test_an_answer_is_written_with_its_type_and_told(tmp_path, table, servers):
    await servers.start("c1", says(ok(b"0.5", "Content-Type: text/csv")))
    elsewhere = await carried_out(tmp_path, servers, Elsewhere(), request(params={"ContentType": "text/csv"}))
    assert elsewhere.objects == {"s3://b/out/r1": (b"0.5", "text/csv")}
    ((topic, said),) = elsewhere.told
    assert (topic, said["invocationStatus"], "responseBody" in said) == ("ok-topic", "Completed", False)
    assert said["responseParameters"] == {"contentType": "text/csv", "outputLocation": "s3://b/out/r1"}
    assert said["requestParameters"] == {"contentType": "text/csv", "endpointName": "e", "inputLocation": "s3://b/in"}


async def test_what_came_with_the_request_is_what_the_model_is_asked(tmp_path, table, servers):
    asked = []

    async def model(reader, writer):
        asked.append(await read_request(reader))
        writer.write(ok(b"x"))

    await servers.start("c1", model)
    await carried_out(tmp_path, servers, Elsewhere(), request(input="", params={"Accept": "a/b"}), body=b"inline")
    [(head, body)] = asked
    assert (body, b"Accept: a/b" in head, b"X-Amzn-SageMaker-Inference-Id: i-r1" in head) == (b"inline", True, True)
    assert not list((tmp_path / "requests").glob("*.body"))


@pytest.mark.parametrize(("said", "type_"), [({}, b"text/libsvm"), ({"ContentType": "text/csv"}, b"text/csv")])
async def test_the_type_is_the_objects_where_the_request_names_none(tmp_path, table, servers, said, type_):
    asked = []

    async def model(reader, writer):
        asked.append(await read_request(reader))
        writer.write(ok(b"x"))

    await servers.start("c1", model)
    await carried_out(tmp_path, servers, Elsewhere(), request(params=said))
    assert b"Content-Type: " + type_ + b"\r\n" in asked[0][0]


async def test_an_error_of_the_model_is_written_to_the_failure_path(tmp_path, table, servers):
    await servers.start("c1", says(b"HTTP/1.1 415 No\r\nContent-Length: 3\r\nContent-Type: a/b\r\n\r\nbad"))
    elsewhere = await carried_out(tmp_path, servers, Elsewhere(), request())
    assert elsewhere.objects == {"s3://b/bad/r1": (b"bad", "a/b")}
    ((topic, said),) = elsewhere.told
    assert topic == "bad-topic"
    assert said["failureReason"] == (
        "ClientError: Received client error (415) from model. "
        "See the SageMaker Endpoint logs in your account for more information."
    )
    assert said["responseBody"]["content"] == "YmFk"
    assert elsewhere.lines[0].endswith('[i-r1] Received client error (415) from primary with message "bad"')


@pytest.mark.parametrize(
    ("refusing", "words"),
    [
        ({"fetch": [AWAY, OSError(), DENIED]}, "Unable to download the request from s3://b/in: no"),
        ({"put": [AWAY, DENIED]}, "Unable to upload the response to s3://b/out/r1: no"),
    ],
    ids=["input", "output"],
)
async def test_what_passes_is_waited_for_and_what_is_refused_is_a_failure(tmp_path, table, servers, refusing, words):
    await servers.start("c1", says(ok(b"x")))
    elsewhere = await carried_out(tmp_path, servers, Elsewhere(**refusing), request())
    ((content, kind),) = (elsewhere.objects["s3://b/bad/r1"],)
    assert (content.decode(), kind) == (f"ClientError: {words}", "text/plain")
    assert [topic for topic, _ in elsewhere.told] == ["bad-topic"]


async def test_a_topic_that_may_not_be_told_is_not(tmp_path, table, servers):
    await servers.start("c1", says(ok(b"x")))
    elsewhere = await carried_out(tmp_path, servers, Elsewhere(publish=[AWAY, DENIED]), request())
    assert (list(elsewhere.objects), elsewhere.told) == (["s3://b/out/r1"], [])
    assert "Unable to notify ok-topic: no" in elsewhere.lines[0]


async def test_a_model_that_is_too_slow_has_failed(tmp_path, table, servers):
    async def silent(reader, _writer):
        await read_request(reader)
        await reader.read()

    await servers.start("c1", silent)
    elsewhere = await carried_out(tmp_path, servers, Elsewhere(), request(timeout=0.05))
    assert "timed out while waiting for a response from container primary" in elsewhere.told[0][1]["failureReason"]


async def test_one_that_has_waited_for_too_long_expires_also_where_there_is_no_instance(tmp_path, table, servers):
    table.set(endpoint_id(*ME), route())
    elsewhere = await carried_out(tmp_path, servers, Elsewhere(), request(ttl=0.05))
    assert "in the queue for more than 0 seconds" in elsewhere.objects["s3://b/bad/r1"][0].decode()


async def test_a_container_that_dies_with_it_is_replaced_and_asked_again_but_not_for_ever(tmp_path, table, servers):
    asked = []

    async def dying(reader, writer):
        asked.append(await read_request(reader))
        if len(asked) < 4:
            writer.transport.abort()
        else:
            writer.write(ok(b"x"))

    await servers.start("c1", dying)
    elsewhere = await carried_out(tmp_path, servers, Elsewhere(), request("killer"))
    assert "ended 3 times" in elsewhere.told[0][1]["failureReason"]
    elsewhere = await carried_out(tmp_path, servers, Elsewhere(), request("fine"))
    assert (len(asked), list(elsewhere.objects)) == (4, ["s3://b/out/fine"])


async def test_no_more_are_asked_at_once_than_the_instances_take(tmp_path, table, servers):
    most = now = 0
    full = asyncio.Event()

    async def model(reader, writer):
        nonlocal most, now
        while True:
            await read_request(reader)
            now += 1
            most = max(most, now)
            if now == CONFIG.per_instance:
                full.set()
            await full.wait()  # the first is not answered before there are so many
            await asyncio.sleep(0.02)
            now -= 1
            writer.write(ok(b"x"))

    await servers.start("c1", model)
    await carried_out(tmp_path, servers, Elsewhere(), *(request(f"r{number}") for number in range(8)))
    assert most == CONFIG.per_instance


async def test_what_an_edge_has_left_is_taken_up_by_the_next_and_told_only_where_it_was_answered(
    tmp_path, table, servers
):
    files = RequestFiles(tmp_path / "requests")
    letter = Letter("ok-topic", "role", '{"said": 1}')
    files.write(request("waiting", accepted=1e9, ttl=1e9))
    files.write(request("answered", accepted=1e9, ttl=1e9, variant="v", letter=letter))
    await servers.start("c1", says(ok(b"x")))
    lock, elsewhere = files.take_over(), Elsewhere()
    assert lock is not None
    async with working(tmp_path, servers, elsewhere) as made:
        await made.accept(request("new"), b"")
        await asyncio.sleep(0.05)
        assert (elsewhere.objects, len(left(tmp_path))) == ({}, 3), "as long as the edge before is there"
        os.close(lock)
        await until(lambda: not left(tmp_path))
    assert elsewhere.objects.keys() == {"s3://b/out/waiting", "s3://b/out/new"}
    assert ("ok-topic", {"said": 1}) in elsewhere.told
    assert len(elsewhere.told) == 3


class ReturnsLate(RequestFiles):
    """What is written lies there, but its writer knows only when it is told."""

    told = threading.Event()

    def write(self, request, body=b""):
        super().write(request, body)
        self.told.wait(LIMIT)


async def test_what_is_being_written_while_the_files_are_taken_over_is_asked_once(
    tmp_path, table, servers, monkeypatch
):
    lock, asked = RequestFiles(tmp_path / "requests").take_over(), []
    monkeypatch.setattr(work, "RequestFiles", ReturnsLate)

    async def model(reader, writer):
        asked.append(await read_request(reader))
        writer.write(ok(b"x"))

    await servers.start("c1", model)
    async with working(tmp_path, servers, Elsewhere()) as made:
        accepting = asyncio.create_task(made.accept(request(), b""))
        await until(lambda: left(tmp_path))
        os.close(lock)
        await until(lambda: list(made.standing()))
        assert not asked
        ReturnsLate.told.set()
        await accepting
        await until(lambda: [each.backlog for each in made.standing()] == [0] and not left(tmp_path))
    assert len(asked) == 1


async def test_a_deleted_endpoint_takes_its_requests_with_it_and_so_does_another_of_its_name(tmp_path, table, servers):
    async def silent(reader, _writer):
        await read_request(reader)
        await reader.read()

    await servers.start("c1", silent)
    async with working(tmp_path, servers, Elsewhere()) as made:
        for number in range(4):
            await made.accept(request(f"r{number}"), b"")
        await until(lambda: [each.waiting for each in made.standing()] == [2])
        table.set(endpoint_id(*ME), route("c1", config=replace(CONFIG, id="another")))
        await until(lambda: not left(tmp_path))
        assert [(each.owner.id, each.backlog) for each in made.standing()] == [("another", 0)]


async def test_nothing_is_dropped_before_control_has_said_which_endpoints_there_are(tmp_path, servers):
    RequestFiles(tmp_path / "requests").write(request())
    async with working(tmp_path, servers, Elsewhere()):
        await asyncio.sleep(0.1)
        assert len(left(tmp_path)) == 1
        RouteTable(tmp_path).replace({})
        await until(lambda: not left(tmp_path))


def test_a_queue_is_served_in_order_and_what_is_put_back_comes_first():
    queue = Backlog()
    first, second = request("first"), request("second", ttl=-1.0)
    for each in (first, second):
        queue.add(each)
    assert queue.next() is first
    queue.put_back(first)
    assert (queue.expired(time.time()), queue.waiting(), queue.oldest()) == ([second], [first], first.accepted)
    assert (queue.next(), queue.next(), queue.oldest(), len(queue)) == (first, None, None, 0)


def test_bodies_without_a_request_go_away_and_what_is_torn_is_nothing(tmp_path):
    files = RequestFiles(tmp_path)
    (tmp_path / "orphan.body").write_bytes(b"x")
    os.utime(tmp_path / "orphan.body", (0, 0))
    (tmp_path / "fresh.body").write_bytes(b"x")
    (tmp_path / "torn.json").write_text("{")
    assert files.left() == []
    assert {path.name for path in tmp_path.glob("*.body")} == {"fresh.body"}


@pytest.mark.parametrize(
    ("instances", "expected"),
    [
        (2, {"ApproximateBacklogSize": 3, "ApproximateBacklogSizePerInstance": 1.5, "HasBacklogWithoutCapacity": 0}),
        (0, {"ApproximateBacklogSize": 3, "HasBacklogWithoutCapacity": 1}),
    ],
    ids=["instances", "none"],
)
def test_how_a_queue_stands_is_reported_of_the_endpoint(instances, expected):
    meter = AsyncMeter(lambda: [Standing(OWNER, 3, 1, instances, 7.9)], lambda: 600.0)
    meter.count(Place(*ME, "v", config="c"), "InvocationFailures")
    ((_, _, data),) = meter.take()
    of_endpoint = {
        each["MetricName"]: each["Values"]
        for each in data
        if each["Dimensions"] == [{"Name": "EndpointName", "Value": "e"}]
    }
    assert of_endpoint == {
        **{name: [float(value)] for name, value in expected.items()},
        "ApproximateAgeOfOldestRequest": [7.0],
    }
    assert [len(each["Dimensions"]) for each in data if each["MetricName"] == "InvocationFailures"] == [2, 3]


def test_a_route_is_the_same_after_it_was_published(tmp_path, servers):
    RouteTable(tmp_path).set(endpoint_id(*ME), route("c1"))
    router = Router(tmp_path, servers.dial)
    assert router.routes() == {endpoint_id(*ME): route("c1")}
    router.close()


async def test_what_an_old_instance_still_works_on_keeps_nobody_from_the_new_ones(tmp_path, table, servers):
    release = asyncio.Event()

    async def slow(reader, writer):
        await read_request(reader)
        await release.wait()
        writer.write(ok(b"late"))

    await servers.start("c1", slow)
    await servers.start("c2", says(ok(b"soon")))
    alone, elsewhere = replace(CONFIG, per_instance=1), Elsewhere()
    table.set(endpoint_id(*ME), route("c1", config=alone))
    async with working(tmp_path, servers, elsewhere) as made:
        await made.accept(request("long"), b"")
        await until(lambda: servers.dialled)
        await made.accept(request("next"), b"")
        table.set(endpoint_id(*ME), route("c2", config=alone))
        await until(lambda: elsewhere.objects)
        assert elsewhere.objects == {"s3://b/out/next": (b"soon", "application/octet-stream")}
        release.set()
        await until(lambda: not left(tmp_path))
    assert elsewhere.objects["s3://b/out/long"][0] == b"late"
