"""An edge and its lane, each an event loop's server with a small application, joined by a real channel: who goes where,
and that no client notices."""

import asyncio
import resource
import socket
import time
from contextlib import asynccontextmanager, contextmanager

import pytest

from clary.edge.connection import Hall
from clary.edge.lane import Lane
from clary.edge.lanes import BUSY, IDLE_SECONDS, PATIENCE, STEADY, Lanes, demanded
from clary.edge.passing import MOST_BYTES, Channel, Handed, Left
from clary.edge.predictions import Predictions
from clary.edge.server import EdgeServer
from clary.gateway.incoming import Incoming
from clary.serving.router import Router
from clary.serving.routes import OnDemand, Route, RouteTable, VariantRoute, component_id, endpoint_id
from clary.settings import Limits
from clary.supervisor.sockets import bind_tcp
from clary.wire.http import HttpResponse

ACCOUNT, REGION, SECONDS = "000000000000", "us-east-1", 60
PLAIN = VariantRoute("v", 1.0, ())


def asked(path="/endpoints/plain/invocations", method="POST", body=b"1", **headers):
    fields = {"Host": "127.0.0.1:4599", "Content-Length": str(len(body)), **headers}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


PREDICTION = asked()


@pytest.fixture
def predictions(tmp_path):
    table = RouteTable(tmp_path)
    table.replace(
        {
            endpoint_id(ACCOUNT, REGION, "plain"): Route((PLAIN,)),
            component_id(ACCOUNT, REGION, "component"): Route((PLAIN,), endpoint="hosting"),
            endpoint_id(ACCOUNT, REGION, "hosting"): Route((PLAIN,), hosts_components=True),
            endpoint_id(ACCOUNT, REGION, "cold"): Route((VariantRoute("v", 1.0, (), on_demand=OnDemand(1, 0, 0)),)),
            endpoint_id(ACCOUNT, REGION, "many"): Route((VariantRoute("v", 1.0, (), many_models_in=0),)),
            endpoint_id(ACCOUNT, REGION, "twice"): Route((PLAIN,)),
            endpoint_id("111111111111", REGION, "twice"): Route((PLAIN,), hosts_components=True),
        }
    )
    router = Router(tmp_path, lambda *_: None)
    yield Predictions(router, "127.0.0.1")
    router.close()


@pytest.mark.parametrize(
    ("data", "may"),
    [
        (PREDICTION, True),
        (asked(Host="localhost:1"), True),
        (asked(Host="runtime.sagemaker.us-east-1.amazonaws.com"), True),
        (asked(Host="[::1]:4599"), True),
        (asked(Host="abc.lambda-url.us-east-1.localhost:4599"), False),
        (asked(Host=""), False),
        (asked(X_Amzn_SageMaker_Session_Id="NEW_SESSION"), False),
        (asked("/endpoints/cold/invocations"), False),
        (asked("/endpoints/many/invocations"), False),
        (asked("/endpoints/hosting/invocations"), False),
        (asked("/endpoints/twice/invocations"), False),
        (asked("/endpoints/nobody/invocations"), False),
        (asked("/endpoints/plain/async-invocations"), False),
        (asked("/endpoints/plain/invocations?a=1"), False),
        (asked("/endpoints/plain/invocations", method="GET"), False),
        (PREDICTION[:40], False),
    ],
)
def test_what_any_process_may_answer(predictions, data, may):
    assert predictions.are(data) == may


class Process:
    """A lane in this very process."""

    def __init__(self, theirs, predictions):
        self.ready, self.failure, self.due, self.code, self.asked = False, "", 0.0, None, False
        self.ended = False
        self._theirs, self._predictions = theirs.dup(), predictions
        self.ours, self.alone = socket.socketpair()

    def start(self, _now):
        lane = Lane(Channel(self._theirs), self._predictions)
        self.server = EdgeServer(said("lane"), Limits(), self.alone.fileno(), [self.tell], passage=lane)
        self.running = asyncio.create_task(self.server.serve([]))

    async def tell(self):
        self.ready = True

    def listen(self):
        pass

    def reap(self, _now):
        return self.code

    def ask_to_end(self):
        if not self.asked:
            self.asked = True
            self.ours.close()

    def end(self, _grace):
        self.ended = True
        self.ask_to_end()


def said(who):
    async def application(request, line):
        if request.path == "/refuse":
            await line.reply(HttpResponse(403, {"content-length": "2"}), b"no")
            return
        body = await Incoming(line, 5).read(2**20)
        answer = who.encode() + b" " + body
        await line.reply(HttpResponse(200, {"content-length": str(len(answer))}), answer)

    return application


class Client:
    """One kept-alive connection."""

    @classmethod
    async def of(cls, port):
        made = cls()
        made.reader, made.writer = await asyncio.open_connection("127.0.0.1", port)
        return made

    async def ask(self, data=PREDICTION):
        self.writer.write(data)
        return await self.answer()

    async def answer(self):
        async with asyncio.timeout(SECONDS):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length")
            )
            return (await self.reader.readexactly(length)).decode()


class Site:
    """An edge that may have one lane, and its clients."""

    def __init__(self, predictions):
        self.made = []

        def make(theirs):
            self.made.append(Process(theirs, predictions))
            return self.made[-1]

        self.lanes = Lanes(predictions, make, 1)
        self.now, self.spent, self.clients = time.monotonic(), demanded(), []

    async def begin(self):
        self.tcp = bind_tcp("127.0.0.1", 0)
        self.ours, self.alone = socket.socketpair()
        up = asyncio.Event()

        async def tell():
            up.set()

        self.server = EdgeServer(said("edge"), Limits(), self.alone.fileno(), [tell], passage=self.lanes)
        self.running = asyncio.create_task(self.server.serve([self.tcp]))
        await up.wait()

    async def client(self):
        made = await Client.of(self.tcp.getsockname()[1])
        self.clients.append(made)
        return made

    def look(self, *, busy=0.0, seconds=2.0):
        self.now, self.spent = self.now + seconds, self.spent + busy * seconds
        self.lanes.look(self.now, self.spent)

    async def with_lane(self, count=4):
        """So many clients who have asked, and a lane that is ready."""
        clients = [await self.client() for _ in range(count)]
        for each in clients:
            await each.ask()
            await each.ask()
        self.look(busy=1)
        await until(lambda: self.made and self.made[-1].ready)
        return clients

    async def end(self):
        self.ours.close()
        for each in self.clients:
            each.writer.close()
        await asyncio.wait_for(self.running, SECONDS)
        self.lanes.close()
        for each in self.made:
            each.ask_to_end()
            await asyncio.wait_for(each.running, SECONDS)


@asynccontextmanager
async def begun(predictions):
    site = Site(predictions)
    await site.begin()
    yield site
    await site.end()


@pytest.fixture
async def site(predictions):
    async with begun(predictions) as made:
        yield made


async def first_in_lane(clients):
    for each in clients:
        if (await each.ask()).startswith("lane"):
            return each
    raise AssertionError("nobody was passed on")


async def until(holds):
    async with asyncio.timeout(SECONDS):
        while not holds():  # noqa: ASYNC110  what is waited for has no event of its own
            await asyncio.sleep(0.001)


async def test_without_need_there_is_no_lane(site):
    client, other = await site.client(), await site.client()
    await client.ask()
    await client.ask()
    site.look(busy=1)  # one client
    await other.ask()
    await other.ask()
    await client.ask()
    site.look(busy=BUSY / 2)
    await other.ask(asked("/bucket"))
    assert not site.made
    assert await client.ask() == "edge 1"


async def test_connections_are_shared_out_evenly_and_each_gets_its_answers(site):
    clients = await site.with_lane(6)
    answers = [await each.ask() for each in clients]
    assert sorted(answers) == ["edge 1"] * 3 + ["lane 1"] * 3
    assert [await each.ask() for each in clients] == answers


async def test_a_large_body_that_follows_its_head_goes_to_the_lane(site):
    body = b"x" * (4 * MOST_BYTES)
    clients = await site.with_lane()
    answers = [await each.ask(asked(body=body)) for each in clients]
    assert sorted({each[:5] for each in answers}) == ["edge ", "lane "]
    assert all(len(each) == len(body) + 5 for each in answers)


async def test_what_is_no_prediction_comes_back_and_stays(site):
    clients = await site.with_lane()
    gone = await first_in_lane(clients)
    assert await gone.ask(asked("/bucket")) == "edge 1"
    assert await gone.ask() == "edge 1"
    assert await gone.ask() == "edge 1"


async def test_a_refused_body_that_looks_like_a_request_is_none(site):
    """Refused before its body has come: what comes of it then is still its body."""
    clients = await site.with_lane()
    for each in clients:
        each.writer.write(asked("/refuse", body=PREDICTION)[: -len(PREDICTION)])
        assert await each.answer() == "no"
        each.writer.write(PREDICTION)
        assert await each.ask(asked("/bucket")) == "edge 1"
    assert all(lane.clients == 0 for lane in site.lanes._lanes)


async def test_requests_that_were_sent_ahead_are_answered_in_their_order(site):
    clients = await site.with_lane()
    gone = await first_in_lane(clients)
    gone.writer.write(asked(body=b"a") + asked("/bucket", body=b"b") + asked(body=b"c"))
    assert [(await gone.answer()).split()[1] for _ in range(3)] == ["a", "b", "c"]


async def test_who_leaves_a_lane_makes_room_in_it(site):
    clients = await site.with_lane()
    answers = {each: await each.ask() for each in clients}
    for each in [client for client, answer in answers.items() if answer.startswith("lane")]:
        each.writer.close()
    newcomers = [await site.client() for _ in range(2)]
    for each in newcomers:
        await each.ask()
    await until(lambda: site.lanes._lanes[0].clients == 0)
    assert "lane 1" in [await each.ask() for each in newcomers]


async def test_a_lane_that_is_empty_for_long_ends_and_its_end_is_no_failure(site, caplog):
    clients = await site.with_lane()
    for each in clients:
        await each.ask()
        each.writer.close()
    await until(lambda: site.lanes._lanes[0].clients == 0)
    site.look(seconds=IDLE_SECONDS / 2)
    assert not site.made[0].asked
    site.look(seconds=IDLE_SECONDS)
    assert site.made[0].asked
    await asyncio.wait_for(site.made[0].running, SECONDS)
    site.made[0].code = 0
    site.look()
    assert not caplog.records


async def test_a_lane_that_died_is_replaced_after_a_pause_and_clients_stay_meanwhile(site, caplog):
    clients = await site.with_lane()
    site.made[0].code = -9
    site.look(busy=1)
    assert "ended with -9" in caplog.text
    answers = [await each.ask() for each in clients]
    assert set(answers) == {"edge 1"}
    site.look(busy=1, seconds=1.5)
    assert len(site.made) == 1
    for each in clients:
        await each.ask()
    site.look(busy=1)
    assert len(site.made) == 2


async def test_whom_a_lane_has_handed_back_before_it_died_is_answered(site):
    clients = await site.with_lane()
    gone = await first_in_lane(clients)
    site.lanes._deaf(site.lanes._lanes[0])  # the edge does not come to hear it
    gone.writer.write(asked("/bucket"))
    await until(lambda: not site.made[0].server.hall.connections)
    site.made[0].code = -9
    site.look()
    assert await gone.answer() == "edge 1"


async def test_a_lane_that_never_gets_ready_is_killed_and_its_place_is_free_after_a_pause(site, caplog):
    clients = await site.with_lane()
    site.made[0].ready = False
    site.look(seconds=PATIENCE - 3)
    assert not site.made[0].ended
    site.look(seconds=3)
    assert site.made[0].ended
    assert "was not ready within" in caplog.text
    for each in clients:
        assert await each.ask() == "edge 1"
    site.look(busy=1, seconds=1.5)
    assert len(site.made) == 1
    for each in clients:
        await each.ask()
    site.look(busy=1)
    assert len(site.made) == 2


async def test_a_lane_that_was_long_in_starting_is_empty_from_then_on(site):
    await site.with_lane(2)
    site.made[0].ready = False
    site.look(seconds=PATIENCE - 3)
    site.made[0].ready = True
    site.look(seconds=IDLE_SECONDS / 2)
    assert not site.made[0].asked


async def test_an_empty_lane_that_does_not_end_is_killed(site, caplog):
    await site.with_lane(2)
    site.look(seconds=IDLE_SECONDS)
    assert site.made[0].asked
    site.look(seconds=PATIENCE / 2)
    assert not site.made[0].ended
    site.look(seconds=PATIENCE / 2)
    assert site.made[0].ended
    assert "did not end within" in caplog.text


async def test_the_pause_grows_while_lanes_die_soon_and_is_the_first_again_after_one_that_lived(site):
    await site.with_lane()
    pauses = []
    for lived in (0, 1, STEADY):
        site.look(seconds=lived)
        site.made[-1].code = -9
        site.look(seconds=1)
        pauses.append(site.lanes._not_before - site.now)
        site.lanes._start(site.now)
        await until(lambda: site.made[-1].ready)
    assert pauses == pytest.approx([2, 4, 2])


async def test_answers_that_are_under_way_in_a_lane_are_given_when_all_ends(site):
    clients = await site.with_lane()
    gone = await first_in_lane(clients)
    whole = asked(body=b"long")
    gone.writer.write(whole[:-2])
    await until(lambda: site.made[0].server.hall.tasks)
    site.ours.close()
    await until(lambda: site.made[0].asked)
    gone.writer.write(whole[-2:])
    assert await gone.answer() == "lane long"


async def test_who_was_on_the_way_to_a_lane_that_is_told_to_end_is_answered(predictions):
    ours, theirs = (Channel(each) for each in socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    hall = Hall(said("lane"), 60.0, 100, Lane(theirs, predictions))
    hall.passage.attach(hall)
    with bind_tcp("127.0.0.1", 0) as listening:
        listening.listen()
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        with listening.accept()[0] as connected:
            assert ours.hand(connected.fileno(), PREDICTION)
    hall.close()
    async with asyncio.timeout(SECONDS):
        assert (await reader.read()).endswith(b"lane 1")
        await hall.left.wait()
    writer.close()
    ours.close()


@contextmanager
def no_free_descriptor():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_whom_a_lane_cannot_take_for_want_of_a_descriptor_is_counted_as_gone(predictions):
    ours, theirs = (Channel(each) for each in socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    hall = Hall(said("lane"), 60.0, 100, Lane(theirs, predictions))
    hall.passage.attach(hall)
    with socket.socket() as passed:
        assert ours.hand(passed.fileno(), PREDICTION)
    with no_free_descriptor():
        hall.passage._hear()
    assert list(ours.take()) == [Left(1)]
    hall.close()
    ours.close()


async def test_whom_the_edge_cannot_take_back_for_want_of_a_descriptor_is_in_no_lane(site):
    clients = await site.with_lane()
    gone = await first_in_lane(clients)
    lane = site.lanes._lanes[0]
    before = lane.clients
    site.lanes._deaf(lane)
    gone.writer.write(asked("/bucket"))
    await until(lambda: not site.made[0].server.hall.connections)
    with no_free_descriptor():
        site.lanes._hear(lane)
    assert lane.clients == before - 1


async def test_without_a_descriptor_for_a_lane_it_is_started_later(site, caplog):
    clients = [await site.client() for _ in range(2)]
    for each in clients:
        await each.ask()
        await each.ask()
    with no_free_descriptor():
        site.look(busy=1)
    assert not site.made
    assert "no further process for predictions could be started" in caplog.text
    for _ in range(2):
        for each in clients:
            await each.ask()
        site.look(busy=1)
    assert site.made


def test_a_channel_that_is_full_or_gone_takes_nothing_and_loses_no_count():
    ours, theirs = (Channel(each) for each in socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    with socket.socket() as passed:
        handed = 0
        while ours.hand(passed.fileno(), b"x" * MOST_BYTES):
            handed += 1
        assert handed
        assert not ours.hand(passed.fileno(), b"x" * (MOST_BYTES + 1))
        ours.left()
        taken = list(theirs.take())
        assert [len(each.data) for each in taken if isinstance(each, Handed)] == [MOST_BYTES] * handed
        for each in taken:
            each.connection.close()
        ours.left()
        assert list(theirs.take()) == [Left(2)]
        theirs.close()
        assert not ours.hand(passed.fileno(), b"x")
        assert list(ours.take()) == []
        assert not ours.open
    ours.close()
