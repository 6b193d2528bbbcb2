"""Requests to a serverless variant over a real router and real sockets: who waits, who is told, what is let go."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from clary.errors import ServiceUnavailable
from clary.serving.chain import Walk
from clary.serving.client import Broken, Request
from clary.serving.fleet import CannotStart, Turn
from clary.serving.metering import Meter, Place
from clary.serving.router import NoReplica, Router
from clary.serving.routes import OnDemand, Route, RouteTable, Target, VariantRoute, endpoint_id
from clary.serving.serverless import Serverless, Throttled

from .conftest import ok, read_request, says

ID = endpoint_id("000000000000", "us-east-1", "e")
POST = Request("POST", "/invocations", {}, b"1")
SECONDS = 60


class Control:
    """Control's side: what was asked, and routes that the test publishes; it is away where `away`, and answers
    when it is `heard`."""

    def __init__(self, folder):
        self.table = RouteTable(folder)
        self.asked, self.away, self.heard = [], False, asyncio.Event()
        self.heard.set()
        self.route = VariantRoute("v", 1.0, (), config="cfg", on_demand=OnDemand(2, 0, 0))

    async def ask(self, params):
        if self.away:
            raise ServiceUnavailable("control is away")
        self.asked.append((params["wanted"], sorted(params["gone"])))
        await self.heard.wait()
        return {}

    def publish(self, *containers, **limits):
        wanted = max(limits.pop("wanted", 0), len(containers))
        on_demand = replace(self.route.on_demand, wanted=wanted, **limits)
        self.route = replace(self.route, targets=tuple(Target((each,)) for each in containers), on_demand=on_demand)
        self.table.set(ID, Route((self.route,)))


@pytest.fixture
def control(tmp_path):
    made = Control(tmp_path)
    made.publish()
    return made


@asynccontextmanager
async def started(tmp_path, servers, control, idle=3600, start=SECONDS, answer=SECONDS):
    router = Router(tmp_path, servers.dial)
    made = Serverless(router, control.ask, idle_seconds=idle, start_seconds=start, answer_seconds=answer)
    watching = asyncio.create_task(made.watch())
    yield made
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    router.close()


@pytest.fixture
async def edge(tmp_path, servers, control):
    async with started(tmp_path, servers, control) as made:
        yield made


def ask(edge, turn=None):
    return asyncio.create_task(edge.ask(ID, "v", POST, Walk((0,)), turn or Turn()))


async def until(holds):
    async with asyncio.timeout(SECONDS):
        while not holds():  # noqa: ASYNC110  what is waited for has no event of its own
            await asyncio.sleep(0.001)


class Slow:
    """A model that answers when it is told to, and says how many requests it has at once."""

    def __init__(self):
        self.now, self.most, self.answer = 0, 0, asyncio.Event()

    async def __call__(self, reader, writer):
        while True:
            await read_request(reader)
            self.now += 1
            self.most = max(self.most, self.now)
            await self.answer.wait()
            self.now -= 1
            writer.write(ok(b"done"))


async def test_the_first_request_has_a_replica_started_and_the_second_finds_it(edge, control, servers):
    turn = Turn()
    first = ask(edge, turn)
    await until(lambda: control.asked)
    assert control.asked == [(1, [])]
    await servers.start("c1", says(ok(b"x")))
    control.publish("c1")
    assert (await first).body == b"x"
    assert turn.waited > 0
    second = Turn()
    assert (await ask(edge, second)).body == b"x"
    assert (second.waited, control.asked) == (0, [(1, [])])


async def test_requests_at_once_have_a_replica_each_and_more_are_throttled(edge, control, servers):
    slow = Slow()
    first, second = ask(edge), ask(edge)
    await until(lambda: control.asked and control.asked[-1][0] == 2)
    with pytest.raises(Throttled):
        await ask(edge)
    await servers.start("c1", slow)
    await servers.start("c2", slow)
    control.publish("c1", "c2")
    await until(lambda: slow.now == 2)
    slow.answer.set()
    assert [(await each).body for each in (first, second)] == [b"done", b"done"]
    assert (await ask(edge)).body == b"done"


async def test_a_replica_has_one_request_at_a_time(edge, control, servers):
    slow = Slow()
    await servers.start("c1", slow)
    control.publish("c1", most=5)
    asking = [ask(edge) for _ in range(5)]
    await until(lambda: slow.now == 1)
    slow.answer.set()
    assert {(await each).body for each in asking} == {b"done"}
    assert slow.most == 1


async def test_who_waits_for_a_replica_that_does_not_come_up_is_told_why(edge, control):
    waiting = ask(edge)
    await until(lambda: control.asked)
    control.publish(failures=1, said="ImportError")
    with pytest.raises(CannotStart, match="ImportError"):
        await waiting
    later = ask(edge)
    await until(lambda: len(control.asked) == 2)
    assert not later.done(), "what has failed before is nothing to it"
    later.cancel()


async def test_a_failure_seen_before_controls_answer_leaves_nobody_waiting_for_what_was_asked(edge, control, servers):
    control.heard.clear()
    waiting = ask(edge)
    await until(lambda: control.asked)
    control.publish(failures=1, said="no such model")
    with pytest.raises(CannotStart):
        await waiting
    control.heard.set()
    again = ask(edge)
    await until(lambda: len(control.asked) == 2)
    await servers.start("c1", says(ok(b"x")))
    control.publish("c1")
    assert (await again).body == b"x"


async def test_one_that_fails_leaves_the_others_waiting(edge, control, servers):
    first, second = ask(edge), ask(edge)
    await until(lambda: control.asked and control.asked[-1][0] == 2)
    control.publish(failures=1, said="no", wanted=1)
    with pytest.raises(CannotStart):
        await first
    await servers.start("c1", says(ok(b"x")))
    control.publish("c1")
    assert (await second).body == b"x"


async def test_one_that_never_comes_is_not_waited_for_longer_than_allowed(tmp_path, servers, control):
    async with started(tmp_path, servers, control, start=0.05) as edge:
        with pytest.raises(CannotStart, match="Unable to successfully stand up your model within the allotted 0 sec"):
            await ask(edge)


async def test_an_answer_that_takes_too_long_frees_its_place(tmp_path, servers, control):
    slow = Slow()
    await servers.start("c1", slow)
    control.publish("c1", most=1)
    async with started(tmp_path, servers, control, answer=1) as edge:
        with pytest.raises(TimeoutError):
            await ask(edge)
        slow.answer.set()
        assert (await ask(edge)).body == b"done"


async def test_without_control_warm_replicas_answer_and_cold_starts_are_503(edge, control, servers):
    await servers.start("c1", says(ok(b"x")))
    control.publish("c1")
    control.away = True
    assert (await ask(edge)).body == b"x"
    control.publish()
    with pytest.raises(ServiceUnavailable):
        await ask(edge)


async def test_idle_replicas_are_let_go_but_for_what_is_provisioned(tmp_path, control, servers):
    for container in ("c1", "c2", "c3"):
        await servers.start(container, says(ok(b"x")))
    control.publish("c1", "c2", "c3", provisioned=1)
    async with started(tmp_path, servers, control, idle=0.05) as edge:
        await until(lambda: control.asked)
        wanted, gone = control.asked[0]
        assert (wanted, len(gone)) == (0, 2)
        (left,) = {"c1", "c2", "c3"} - set(gone)
        assert (await ask(edge)).body == b"x", "by the one that stays"
        control.publish(left)
        assert (await ask(edge)).body == b"x"


async def test_one_that_cannot_be_reached_is_let_go_and_another_asked_for(edge, control, servers):
    control.publish("gone")
    asking = ask(edge)
    await until(lambda: control.asked)
    assert control.asked == [(1, ["gone"])]
    await servers.start("c1", says(ok(b"x")))
    control.publish("c1")
    assert (await asking).body == b"x"


async def test_a_request_whose_replica_has_died_is_asked_once_more(edge, control, servers):
    async def dies(reader, _writer):
        await read_request(reader)
        servers.kill("c1")

    await servers.start("c1", dies)
    control.publish("c1")
    asking = ask(edge)
    await until(lambda: control.asked)
    assert control.asked == [(1, ["c1"])]

    async def dies_too(reader, _writer):
        await read_request(reader)
        servers.kill("c2")

    await servers.start("c2", dies_too)
    control.publish("c2")
    with pytest.raises(Broken):
        await asking


async def test_an_endpoint_that_is_deleted_leaves_nobody_waiting(edge, control):
    waiting = ask(edge)
    await until(lambda: control.asked)
    control.table.set(ID, None)
    with pytest.raises(NoReplica):
        await waiting
    with pytest.raises(NoReplica):
        await ask(edge)


async def test_who_goes_away_leaves_the_replica_to_the_next(edge, control, servers):
    first, second = ask(edge), ask(edge)
    await until(lambda: control.asked and control.asked[-1][0] == 2)
    first.cancel()
    await servers.start("c1", says(ok(b"x")))
    control.publish("c1")
    assert (await second).body == b"x"
    assert (await ask(edge)).body == b"x"


def test_what_cloudwatch_is_told():
    meter, place = Meter(lambda: 0.0), Place("0", "us-east-1", "e", "v")
    for concurrency, waited in ((1, 0.25), (2, 0.0)):
        turn = Turn(concurrency, OnDemand(4, 1, 1), waited)
        meter.count(place, None, 200, 0.01, waited + 0.02)
        meter.count_turn(place, turn)
    ((_, _, data),) = meter.take()
    told = {each["MetricName"]: (each["Unit"], dict(zip(each["Values"], each["Counts"], strict=True))) for each in data}
    assert told["ServerlessConcurrentExecutionsUtilization"] == ("None", {0.25: 1, 0.5: 1})
    assert told["ServerlessProvisionedConcurrencyUtilization"] == ("None", {1.0: 2})
    assert told["ServerlessProvisionedConcurrencyExecutions"] == ("Count", {1.0: 2})
    assert told["ServerlessProvisionedConcurrencyInvocations"] == ("Count", {1.0: 1, 0.0: 1})
    assert told["ServerlessProvisionedConcurrencySpilloverInvocations"] == ("None", {0.0: 1, 1.0: 1})
    assert told["ModelSetupTime"] == ("Microseconds", {250_000: 1})
    assert told["OverheadLatency"] == ("Microseconds", {10_000: 1, 260_000: 1})
    assert "InvocationsPerInstance" not in told
