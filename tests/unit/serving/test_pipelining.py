"""Several requests on one connection, where the model server says that it takes them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from clary.serving.client import Broken, Connection, NotSent, Pool, Request

from .conftest import Servers, ok, read_request, says

SAYS_SO = "x-clary-pipelined: 8"


def post(body: bytes) -> Request:
    return Request("POST", "/invocations", {}, body)


@pytest.fixture
def pool(servers: Servers):
    with ThreadPoolExecutor(2) as threads:
        opened = Pool("c1", servers.dial, threads)
        yield opened
        opened.close()


class Model:
    """Answers what it is asked, once `many` requests have come after the first; `asked` is in the order of arrival."""

    def __init__(self, many: int) -> None:
        self.many = many
        self.asked: list[bytes] = []
        self.arrived = asyncio.Event()

    async def __call__(self, reader, writer):
        _, body = await read_request(reader)
        writer.write(ok(body, SAYS_SO))
        while True:
            bodies = [(await read_request(reader))[1] for _ in range(self.many)]
            self.asked += bodies
            self.arrived.set()
            await self.answer(writer, bodies)

    async def answer(self, writer, bodies):
        writer.write(b"".join(map(ok, bodies)))


async def warm(pool):
    """The first answer says that requests may be pipelined."""
    assert (await pool.ask(post(b"first"))).body == b"first"


async def test_requests_wait_on_one_connection_and_each_gets_its_own_answer(servers, pool):
    await servers.start("c1", Model(5))
    await warm(pool)
    bodies = [b"%d" % place for place in range(5)]
    answers = await asyncio.gather(*(pool.ask(post(body)) for body in bodies))
    assert [answer.body for answer in answers] == bodies
    assert len(servers.dialled) == 1


async def test_no_more_wait_than_the_server_takes(servers, pool):
    async def two_at_once(reader, writer):
        waiting = []
        while True:
            waiting.append((await read_request(reader))[1])
            assert len(waiting) <= 2
            if reader._buffer:  # more is there already
                continue
            writer.write(b"".join(ok(body, "x-clary-pipelined: 2") for body in waiting))
            waiting = []

    await servers.start("c1", two_at_once)
    await warm(pool)
    bodies = [b"%d" % place for place in range(9)]
    answers = await asyncio.gather(*(pool.ask(post(body)) for body in bodies))
    assert [answer.body for answer in answers] == bodies


async def test_one_that_is_not_waited_for_any_more_leaves_the_others_their_answers(servers, pool):
    class OnceAsked(Model):
        async def answer(self, writer, bodies):
            await go.wait()
            await super().answer(writer, bodies)

    go, model = asyncio.Event(), OnceAsked(3)
    await servers.start("c1", model)
    await warm(pool)
    asked = [asyncio.ensure_future(pool.ask(post(b"%d" % place))) for place in range(3)]
    await model.arrived.wait()
    asked[1].cancel()
    await asyncio.wait([asked[1]])
    go.set()
    assert [(await asked[place]).body for place in (0, 2)] == [b"0", b"2"]
    assert len(servers.dialled) == 1
    await warm(pool)
    assert len(servers.dialled) == 2, "whoever gave up has let the connection go"


async def test_a_replica_that_dies_fails_all_that_it_was_asked(servers, pool):
    class Dies(Model):
        async def answer(self, writer, bodies):
            writer.write(ok(bodies[0]) + ok(bodies[1])[:-1])
            writer.close()

    await servers.start("c1", Dies(4))
    await warm(pool)
    first, *others = await asyncio.gather(*(pool.ask(post(b"%d" % n)) for n in range(4)), return_exceptions=True)
    assert first.body == b"0"
    assert [type(other) for other in others] == [Broken] * 3


async def test_a_large_request_has_a_connection_of_its_own(servers, pool):
    model = Model(2)
    await servers.start("c1", model)
    await warm(pool)
    bodies = [b"small", b"x" * 100_000, b"small too"]
    answers = await asyncio.gather(*(pool.ask(post(body)) for body in bodies))
    assert [answer.body for answer in answers] == bodies
    assert model.asked == [b"small", b"small too"], "the large one came first on another"
    assert len(servers.dialled) == 2


async def test_an_answer_to_no_request_ends_the_connection(servers, pool):
    await servers.start("c1", says(ok(b"x", SAYS_SO) * 2))
    for _ in range(2):
        assert (await pool.ask(post(b"1"))).body == b"x"
    assert len(servers.dialled) == 2


@pytest.mark.parametrize("said", ["x-clary-pipelined: many", "x-clary-pipelined: 0", "x-clary-pipelined: -3"])
async def test_nonsense_is_no_pipelining(servers, pool, said):
    asked = 0

    async def strict(reader, writer):
        nonlocal asked
        while True:
            await read_request(reader)
            asked += 1
            assert not reader._buffer
            writer.write(ok(b"x", said))

    await servers.start("c1", strict)
    await pool.ask(post(b"1"))
    await asyncio.gather(*(pool.ask(post(b"1")) for _ in range(4)))
    assert asked == 5


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self):
        super().__init__()
        self.writes: list[bytes] = []
        self.ends = False

    def is_closing(self):
        return self.ends

    def writelines(self, parts):
        self.writes.append(b"".join(parts))

    def abort(self):
        pass


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def connection(wire):
    made = Connection(lambda _: None)
    made.connection_made(wire)
    return made


async def test_what_is_asked_in_one_turn_of_the_event_loop_is_one_write(connection, wire):
    asked = [asyncio.create_task(connection.ask(b"head ", body)) for body in (b"a ", b"b ", b"")]
    for _ in range(2):
        await asyncio.sleep(0)
    assert wire.writes == [b"head a head b head "]
    connection.data_received(b"".join(map(ok, (b"1", b"2", b"3"))))
    assert [answer.body for answer in await asyncio.gather(*asked)] == [b"1", b"2", b"3"]


async def test_a_request_that_had_not_left_when_the_connection_ended_is_not_sent(connection):
    left = asyncio.create_task(connection.ask(b"head", b"left"))
    for _ in range(2):
        await asyncio.sleep(0)
    staying = asyncio.create_task(connection.ask(b"head", b"staying"))
    await asyncio.sleep(0)
    connection.connection_lost(None)
    answers = await asyncio.gather(left, staying, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Broken, NotSent]


async def test_words_before_a_request_has_left_answer_nothing(connection):
    asked = asyncio.create_task(connection.ask(b"head", b""))
    await asyncio.sleep(0)
    connection.data_received(ok(b"408 of the one before"))
    connection.connection_lost(None)
    with pytest.raises(NotSent):
        await asked


async def test_an_answer_too_many_is_not_taken_by_a_request_that_has_not_left(connection, wire):
    """In pieces, as the parser reads it."""
    asked = [asyncio.create_task(connection.ask(b"head", b"first"))]
    for _ in range(2):
        await asyncio.sleep(0)
    asked.append(asyncio.create_task(connection.ask(b"head", b"second")))
    await asyncio.sleep(0)
    answers = ok(b"its own") + ok(b"nobody's")
    for piece in (answers[:5], answers[5:]):
        connection.data_received(piece)
    await asyncio.sleep(0)
    connection.connection_lost(None)
    first, second = await asyncio.gather(*asked, return_exceptions=True)
    assert first.body == b"its own"
    assert type(second) is NotSent
    assert wire.writes == [b"headfirst"]


async def test_a_connection_that_ends_in_the_turn_in_which_a_request_was_to_leave_has_not_sent_it(connection, wire):
    """As where a server lets go of an idle connection in the very moment in which it is asked again."""
    asked = asyncio.create_task(connection.ask(b"head", b""))
    await asyncio.sleep(0)
    wire.ends = True
    await asyncio.sleep(0)
    connection.connection_lost(None)
    with pytest.raises(NotSent):
        await asked
    assert not wire.writes
