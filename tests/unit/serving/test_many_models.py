"""Requests to one of many models: which replica is asked, and when it has to load the model before."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from clary.names import model_name
from clary.serving.chain import Chain, Walk
from clary.serving.client import NotSent, Request
from clary.serving.many_models import CannotLoad, Endpoint, Models
from clary.serving.router import Replica
from clary.serving.routes import Target

from .conftest import ok, read_request

ENDPOINT = Endpoint("123456789012", "us-east-1", "e")
LOADED = {"outcome": "loaded", "downloading": 0.1, "loading": 0.2, "unloading": [0.3], "loaded": 2}
NAME = model_name("a.tar.gz")
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class Control:
    """Loads when it is told to go on."""

    def __init__(self, said=LOADED):
        self.asked = []
        self.noted = []
        self.said = said
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def load(self, params):
        self.asked.append((params["container"], params["model"]))
        self.begun.set()
        await self.go_on.wait()
        return self.said

    def note(self, container, name):
        self.noted.append((container, name))


@pytest.fixture
async def replica(servers):
    threads = ThreadPoolExecutor(1)
    made = []

    def make(container, *models, outstanding=0):
        chain = Chain((container,), servers.dial, threads)
        found = Replica(Target((container,)), chain, outstanding, set(models))
        made.append(found)
        return found

    yield make
    for each in made:
        each.chain.close()
    threads.shutdown()


def way(control, target="a.tar.gz"):
    return Models(control.load, control.note).way(ENDPOINT, target)


def ask(way, replica):
    walk = Walk((0,))
    walk.model = 0, way.path
    return way.ask(replica, Request("POST", "/invocations", {}, b"1"), walk)


def holding(loaded, own=b"answer"):
    """A container that has these models: 404 for others."""

    async def handle(reader, writer):
        while True:
            path = (await read_request(reader))[0].split()[1].decode()
            writer.write(ok(own) if path.split("/")[2] in loaded else NOT_FOUND)

    return handle


async def test_the_least_busy_of_those_that_have_it_is_asked(replica):
    busy, idle, other = replica("1", NAME, outstanding=5), replica("2", NAME, outstanding=2), replica("3", "b")
    assert way(Control()).choose([busy, idle, other]) is idle


async def test_what_nobody_has_goes_to_the_least_busy_with_the_fewest_models(replica):
    busy, full, free = replica("1", outstanding=1), replica("2", "b", "c"), replica("3", "b")
    assert way(Control()).choose([busy, full, free]) is free
    assert way(Control()).choose([]) is None


async def test_concurrent_first_requests_load_once_at_one_replica(servers, replica):
    await servers.start("1", holding({NAME}))
    control, first, second = Control(), replica("1"), replica("2")
    models = Models(control.load, control.note)
    control.go_on.clear()
    ways = [models.way(ENDPOINT, "a.tar.gz") for _ in range(3)]
    begun = asyncio.create_task(ask(ways[0], first))
    await control.begun.wait()
    assert all(each.choose([first, second]) is first for each in ways[1:])
    others = [asyncio.create_task(ask(each, first)) for each in ways[1:]]
    control.go_on.set()
    assert [(await each).body for each in [begun, *others]] == [b"answer"] * 3
    assert control.asked == [("1", "a.tar.gz")]
    assert [each.loading is not None for each in ways] == [True, False, False]
    assert all(each.waited > 0 for each in ways)
    again = models.way(ENDPOINT, "a.tar.gz")
    await ask(again, first)
    assert (again.waited, len(control.asked)) == (0.0, 1)


async def test_who_waits_no_longer_leaves_the_loading_to_the_others(servers, replica):
    await servers.start("1", holding({NAME}))
    control, only = Control(), replica("1")
    models = Models(control.load, control.note)
    control.go_on.clear()
    impatient, patient = models.way(ENDPOINT, "a.tar.gz"), models.way(ENDPOINT, "a.tar.gz")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ask(impatient, only), 0.01)
    assert impatient.waiting
    waiting = asyncio.create_task(ask(patient, only))
    control.go_on.set()
    assert (await waiting).body == b"answer"
    assert len(control.asked) == 1


async def test_a_model_that_was_unloaded_meanwhile_is_loaded_again(servers, replica):
    loaded = set()
    await servers.start("1", holding(loaded))
    control, only = Control(), replica("1", NAME)

    async def load(params):
        loaded.add(NAME)
        return await control.load(params)

    assert (await ask(Models(load, control.note).way(ENDPOINT, "a.tar.gz"), only)).status == 200
    assert len(control.asked) == 1


async def test_a_404_of_the_models_own_is_its_answer(servers, replica):
    async def model(reader, writer):
        while True:
            head, _ = await read_request(reader)
            writer.write(ok(b"{}") if head.startswith(b"GET") else NOT_FOUND)

    await servers.start("1", model)
    control = Control()
    assert (await ask(way(control), replica("1", NAME))).status == 404
    assert control.asked == []


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"outcome": "gone"}, NotSent),
        ({"outcome": "refused", "status": 507, "said": "no room"}, CannotLoad),
    ],
)
async def test_a_model_that_is_not_loaded_is_not_asked(replica, said, error):
    control, only = Control(said), replica("1")
    with pytest.raises(error):
        await ask(way(control), only)
    assert only.models == set()


async def test_each_use_is_noted(servers, replica):
    await servers.start("1", holding({NAME}))
    control, only = Control(), replica("1", NAME)
    models = Models(control.load, control.note)
    for _ in range(3):
        await ask(models.way(ENDPOINT, "a.tar.gz"), only)
    assert control.noted == [("1", NAME)] * 3


async def test_in_a_line_only_the_container_of_the_models_is_asked_for_one(servers):
    asked = []

    def noting(answer):
        async def handle(reader, writer):
            while True:
                head, body = await read_request(reader)
                asked.append((head.split()[1].decode(), body))
                writer.write(answer)

        return handle

    await servers.start("1", noting(ok(b"prepared")))
    await servers.start("2", noting(ok(b"answer")))
    threads = ThreadPoolExecutor(1)
    both = Replica(Target(("1", "2")), Chain(("1", "2"), servers.dial, threads))
    control = Control()
    made = Models(control.load, control.note).way(ENDPOINT, "a.tar.gz", 1)
    walk = Walk((0, 1))
    walk.model = made.at, made.path
    answer = await made.ask(both, Request("POST", "/invocations", {}, b"1"), walk)
    both.chain.close()
    threads.shutdown()
    assert (answer.body, control.asked, control.noted) == (b"answer", [("2", "a.tar.gz")], [("2", NAME)])
    assert asked == [("/invocations", b"1"), (f"/models/{NAME}/invoke", b"prepared")]


async def test_a_404_of_another_container_of_the_line_says_nothing_of_the_model(servers):
    async def refusing(reader, writer):
        await read_request(reader)
        writer.write(NOT_FOUND)

    await servers.start("1", refusing)
    threads = ThreadPoolExecutor(1)
    both = Replica(Target(("1", "2")), Chain(("1", "2"), servers.dial, threads), models={NAME})
    control = Control()
    made = Models(control.load, control.note).way(ENDPOINT, "a.tar.gz", 1)
    walk = Walk((0, 1))
    walk.model = made.at, made.path
    answer = await made.ask(both, Request("POST", "/invocations", {}, b"1"), walk)
    both.chain.close()
    threads.shutdown()
    assert (answer.status, both.models, control.asked) == (404, {NAME}, [])
