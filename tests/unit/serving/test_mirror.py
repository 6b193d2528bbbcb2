"""Requests mirrored to a shadow variant, over real sockets: what it does, or does not, costs production nothing."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import pytest

from clary.calls import Call, Principal
from clary.errors import AWSError
from clary.services.sagemaker_runtime import invocations
from clary.serving import mirror as mirrors
from clary.serving.client import AnswerTooLarge, Broken, Pool, Request, Room
from clary.serving.metering import Meter
from clary.serving.mirror import Mirror
from clary.serving.recorder import Recorder
from clary.serving.router import Router
from clary.serving.routes import Route, RouteTable, Target, VariantRoute, endpoint_id
from clary.serving.spool import finished, read
from clary.settings import Limits, Settings

from .capturing import capture
from .conftest import ok, read_request, says

ACCOUNT = "123456789012"
ARN = f"arn:aws:iam::{ACCOUNT}:root"


@dataclass
class Edge:
    call: Call
    settings: Settings
    router: Router
    recorder: Recorder
    table: RouteTable
    mirror: Mirror = field(default_factory=Mirror)
    meter: Meter = field(default_factory=Meter)

    def serve(self, part=1.0, config=None):
        shadow = VariantRoute("s", part, (Target(("c2",)),), "g", capture=config)
        routed = VariantRoute("v", 1.0, (Target(("c1",)),), "g", capture=config, shadow=shadow)
        self.table.set(endpoint_id(ACCOUNT, "us-east-1", "e"), Route((routed,)))

    def metered(self):
        """Variant and metric → the sum of its values."""
        found = Counter()
        for _, _, data in self.meter.take():
            for datum in data:
                names = {each["Name"]: each["Value"] for each in datum["Dimensions"]}
                total = sum(value * often for value, often in zip(datum["Values"], datum["Counts"], strict=True))
                found[names["VariantName"], datum["MetricName"]] += total
        return found


@pytest.fixture
async def edge(tmp_path, servers):
    principal = Principal("root", ACCOUNT, ARN, ARN, ACCOUNT)
    call = Call(principal, "sagemaker-runtime", "InvokeEndpoint", {}, "us-east-1", request_id="r")
    router = Router(tmp_path, servers.dial)
    made = Edge(call, Settings(data_dir=tmp_path), router, Recorder(tmp_path / "spool"), RouteTable(tmp_path))
    made.serve()
    yield made
    router.close()


async def invoke(edge, **params):
    return await invocations.invoke_endpoint(edge, {"EndpointName": "e", "Body": b"1,2", **params})


async def until(condition, seconds=60.0):
    """Wait for a condition; its value."""
    limit = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < limit
        await asyncio.sleep(0.005)
    return found


async def hangs(reader, _writer):
    await read_request(reader)
    await reader.read()


async def hangs_up(reader, _writer):
    await read_request(reader)


async def test_the_shadow_is_asked_the_same_and_its_answer_is_not_seen(servers, edge):
    asked = {}

    def model(name):
        async def answer(reader, writer):
            asked[name] = await read_request(reader)
            writer.write(ok(name.encode()))

        return answer

    await servers.start("c1", model("c1"))
    await servers.start("c2", model("c2"))
    answer = await invoke(edge, ContentType="text/csv", Accept="text/csv", CustomAttributes="a", InferenceId="i")
    assert (answer["Body"], answer["InvokedProductionVariant"]) == (b"c1", "v")
    await until(lambda: len(asked) == 2)
    assert asked["c1"] == asked["c2"]
    assert b"Inference-Id: i" in asked["c2"][0]


async def test_a_shadow_cannot_be_asked_by_its_name(edge):
    # no public source shows AWS's words for a variant that is a shadow: they are those for one that is not there
    with pytest.raises(AWSError) as raised:
        await invoke(edge, TargetVariant="s")
    assert (raised.value.code, raised.value.message) == ("ValidationError", "Variant s not found for endpoint e.")


@pytest.mark.parametrize(
    "shadow",
    [hangs, hangs_up, says(b"rubbish\r\n\r\n"), says(b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno"), None],
    ids=["hangs", "hangs up", "rubbish", "errors", "is not there"],
)
async def test_whatever_the_shadow_does_production_answers_at_once(servers, edge, shadow):
    limit = 2.0
    edge.settings = replace(edge.settings, limits=Limits(invoke_seconds=limit))
    await servers.start("c1", says(ok(b"x")))
    if shadow is not None:
        await servers.start("c2", shadow)
    began = time.perf_counter()
    answers = [(await invoke(edge))["Body"] for _ in range(20)]
    assert answers == [b"x"] * 20
    assert time.perf_counter() - began < 20 * limit, "who waits for a shadow that hangs waits as long as it may"
    await until(lambda: not edge.mirror.under_way)
    found = edge.metered()
    assert (found["v", "Invocations"], found["v", "Invocation5XXErrors"]) == (20, 0)
    assert (found["s", "Invocations"], found["s", "Invocation5XXErrors"]) == (20, 20)


async def test_a_failing_production_variant_is_not_answered_by_its_shadow(servers, edge):
    await servers.start("c1", says(b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno"))
    await servers.start("c2", says(ok(b"shadow")))
    with pytest.raises(AWSError) as raised:
        await invoke(edge)
    assert raised.value.members["OriginalStatusCode"] == 500
    await until(lambda: not edge.mirror.under_way)
    found = edge.metered()
    assert (found["v", "Invocation5XXErrors"], found["s", "Invocation5XXErrors"]) == (1, 0)


async def test_what_a_shadow_that_hangs_has_in_hand_is_bounded_and_the_rest_is_counted(servers, edge):
    await servers.start("c1", says(ok(b"x")))
    await servers.start("c2", hangs)
    over = 30
    for _ in range(mirrors.IN_FLIGHT + over):
        await invoke(edge)
    assert edge.mirror.under_way == mirrors.IN_FLIGHT
    servers.kill("c2")
    await until(lambda: not edge.mirror.under_way)
    found = edge.metered()
    assert found["s", "MirroredInvocationsDropped"] == over
    assert found["s", "Invocations"] == mirrors.IN_FLIGHT
    assert found["v", "Invocations"] == mirrors.IN_FLIGHT + over


async def test_bodies_do_not_pile_up_behind_a_slow_shadow():
    mirror, go = Mirror(), asyncio.Event()

    async def wait():
        await go.wait()

    half = mirrors.BODY_BYTES // 2
    assert mirror.send("a", half, wait)
    assert mirror.send("b", half, wait)
    assert not mirror.send("c", 1, wait)
    go.set()
    await until(lambda: not mirror.under_way)
    assert mirror.send("c", mirrors.BODY_BYTES, wait)
    await until(lambda: not mirror.under_way)


async def test_one_shadow_that_hangs_leaves_room_for_another():
    mirror, go = Mirror(), asyncio.Event()

    async def wait():
        await go.wait()

    assert all(mirror.send("a", 0, wait) for _ in range(mirrors.IN_FLIGHT))
    assert not mirror.send("a", 0, wait)
    assert mirror.send("b", 0, wait)
    go.set()
    await until(lambda: not mirror.under_way)


async def test_what_breaks_in_a_mirrored_request_is_logged_and_frees_its_place(caplog):
    mirror = Mirror()

    async def broken():
        raise KeyError("unforeseen")

    assert mirror.send("a", 1, broken)
    await until(lambda: not mirror.under_way)
    assert "a mirrored request failed" in caplog.text


@pytest.mark.parametrize("part", [0.0, 0.25, 1.0])
def test_the_part_that_is_mirrored_is_drawn(part):
    mirror = Mirror(random.Random(7).random)
    shadow = VariantRoute("s", part, (Target(("c2",)),))
    share = sum(mirror.draws(shadow) for _ in range(4000)) / 4000
    assert abs(share - part) <= 5 * (part * (1 - part) / 4000) ** 0.5


async def test_one_draw_decides_what_is_captured_of_both(servers, edge, tmp_path):
    edge.serve(config=capture(InitialSamplingPercentage=50))
    await servers.start("c1", says(ok(b"one")))
    await servers.start("c2", says(ok(b"two")))
    for number in range(60):
        await invoke(edge, InferenceId=f"i{number}")
    await until(lambda: not edge.mirror.under_way)
    edge.recorder.close()
    records = [record for path in finished(tmp_path / "spool") for record in read(path)]
    found = {"v": {}, "s": {}}
    for record in records:
        found[record.place.variant][record.exchange.inference_id] = record.exchange.output
    assert found["v"].keys() == found["s"].keys()
    assert 0 < len(found["v"]) < 60
    assert set(found["v"].values()) == {b"one"}
    assert set(found["s"].values()) == {b"two"}


async def test_a_shadow_that_is_withdrawn_is_asked_no_more(servers, edge):
    await servers.start("c1", says(ok(b"x")))
    await servers.start("c2", says(ok(b"y")))
    await invoke(edge)
    await until(lambda: not edge.mirror.under_way)
    edge.table.withdraw({"c2"})
    edge.metered()
    assert (await invoke(edge))["Body"] == b"x"
    await until(lambda: not edge.mirror.under_way)
    assert servers.dialled == ["c1", "c2"]
    assert edge.metered()["s", "Invocation5XXErrors"] == 1


async def test_answers_of_shadows_have_so_much_room_together(servers):
    half = ok(b"x" * 8)[:-4]

    async def begins(reader, writer):
        await read_request(reader)
        writer.write(half)
        await reader.read()

    await servers.start("c1", begins)
    await servers.start("c2", says(ok(b"y" * 8)))
    with ThreadPoolExecutor(1) as threads:
        room = Room(10)
        slow, quick = (Pool(container, servers.dial, threads, room) for container in ("c1", "c2"))
        waiting = asyncio.create_task(slow.ask(Request("POST", "/")))
        await until(lambda: room.left == 6)
        with pytest.raises(AnswerTooLarge, match="no room"):
            await quick.ask(Request("POST", "/"))
        servers.kill("c1")
        with pytest.raises(Broken):
            await waiting
        assert (await quick.ask(Request("POST", "/"))).body == b"y" * 8
        assert room.left == 10
        quick.close()


async def test_a_shadow_that_floods_the_edge_is_broken_off(servers, edge):
    piece = b"x" * 2**20

    async def floods(reader, writer):
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            writer.write(piece)
            await writer.drain()

    await servers.start("c1", says(ok(b"x")))
    await servers.start("c2", floods)
    assert [(await invoke(edge))["Body"] for _ in range(5)] == [b"x"] * 5
    await until(lambda: not edge.mirror.under_way, 20.0)
    assert edge.metered()["s", "Invocation5XXErrors"] == 5
