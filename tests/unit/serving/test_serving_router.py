"""Which replica is asked, what happens when it dies, and what an edge acknowledges."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import resource
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from socket import socket
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.serving.admission import UNKNOWN
from clary.serving.chain import Chain, Walk
from clary.serving.client import Broken, Request
from clary.serving.router import (
    NoReplica,
    Overloaded,
    Replica,
    Router,
    UnknownEndpoint,
    UnknownVariant,
    choose_replica,
    choose_share,
    choose_variant,
)
from clary.serving.routes import Route, RouteTable, Target, VariantRoute, endpoint_id
from clary.serving.slots import ANSWERS, Beside, EdgeSlot, acknowledged, cell_of

from .conftest import ok, read_request, says

ME = ("000000000000", "us-east-1", "e")
ID = endpoint_id(*ME)
POST = Request("POST", "/invocations", {}, b"1")


def variant(name="v", weight=1.0, *containers):
    return VariantRoute(name, weight, tuple(Target((container,)) for container in containers))


def route(*containers):
    return Route((variant("v", 1.0, *containers),))


@pytest.fixture
def table(tmp_path):
    return RouteTable(tmp_path)


@pytest.fixture
async def router(tmp_path, servers):
    made = Router(tmp_path, servers.dial)
    yield made
    made.close()


async def ask(router, name=None):
    return await router.ask(router.variant(router.route(*ME), name), POST, Walk((0,)))


async def until(holds):
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 — another process would look just so
            await asyncio.sleep(0.01)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=5), st.floats(0, 1, exclude_max=True))
def test_only_variants_with_weight_and_replicas_are_chosen(weights, point):
    variants = [variant(str(i), weight, *(["c"] if i % 2 == 0 else [])) for i, weight in enumerate(weights)]
    chosen = choose_variant(variants, point)
    candidates = [v for v in variants if v.targets and v.weight > 0]
    assert chosen in candidates if candidates else chosen is None


def test_traffic_is_shared_by_weight():
    variants = [variant("a", 3.0, "c1"), variant("b", 1.0, "c2")]
    count = Counter(choose_variant(variants, i / 100).name for i in range(100))
    assert count == {"a": 75, "b": 25}


def test_a_variant_that_is_named_is_shared_by_its_old_and_new_replicas():
    old = VariantRoute("v", 0.0, (Target(("c1",)),), share=0.9)
    new = VariantRoute("v", 0.0, (Target(("c2",)),), share=0.1)
    assert Counter(choose_share([old, new], i / 100).share for i in range(100)) == {0.9: 90, 0.1: 10}


async def test_the_one_that_is_named_is_any_of_its_entries(table, router):
    entries = [VariantRoute("v", 0.5, (Target((container,)),), share=0.5) for container in ("c1", "c2")]
    table.set(ID, Route((*entries, variant("w", 1.0, "c3"))))
    found = {router.variant(router.route(*ME), "v").targets for _ in range(200)}
    assert found == {entry.targets for entry in entries}
    assert router.variant(router.route(*ME), "w").name == "w"


def test_least_outstanding_replica_is_chosen():
    busy, idle = (Replica(Target(()), Chain((), socket, ThreadPoolExecutor()), asked) for asked in (2, 1))
    assert choose_replica([busy, idle]) is idle
    assert choose_replica([]) is None


async def test_routes_reach_an_edge_that_runs_already(table, router, servers):
    await servers.start("c1", says(ok(b"one")))
    with pytest.raises(UnknownEndpoint):
        router.route(*ME)
    table.set(ID, route("c1"))
    assert (await ask(router)).body == b"one"
    with pytest.raises(UnknownVariant):
        await ask(router, "other")


async def test_replica_that_is_gone_is_passed_over(table, router, servers):
    await servers.start("c2", says(ok(b"two")))
    table.set(ID, route("gone", "c2"))
    assert {(await ask(router)).body for _ in range(8)} == {b"two"}


async def test_no_replica_at_all(table, router):
    table.set(ID, route("gone"))
    with pytest.raises(NoReplica):
        await ask(router)


async def test_replica_that_dies_with_a_request_in_hand_is_replaced_by_another(table, router, servers):
    async def die(reader, _writer):
        await read_request(reader)
        servers.kill("dying")

    await servers.start("dying", die)
    await servers.start("c2", says(ok(b"two")))
    table.set(ID, route("dying", "c2"))
    assert {(await ask(router)).body for _ in range(8)} == {b"two"}


async def test_all_that_a_replica_was_asked_when_it_died_is_asked_of_another(table, router, servers):
    async def dies_in_the_middle(reader, writer):
        await read_request(reader)
        writer.write(ok(b"one", "x-clary-pipelined: 8"))
        for _ in range(4):
            await read_request(reader)
        writer.write(ok(b"one") * 2 + ok(b"one")[:-1])
        await writer.drain()
        servers.kill("dying")

    await servers.start("dying", dies_in_the_middle)
    await servers.start("c2", says(ok(b"two")))
    table.set(ID, route("dying"))
    assert (await ask(router)).body == b"one"
    table.set(ID, route("dying", "c2"))
    answers = await asyncio.gather(*(ask(router) for _ in range(8)))
    assert Counter(answer.body for answer in answers) == {b"one": 2, b"two": 6}


async def test_replica_that_lives_and_breaks_the_connection_is_not_asked_twice(table, router, servers):
    asked = []

    async def crash(reader, _writer):
        asked.append(await read_request(reader))

    await servers.start("c1", crash)
    await servers.start("c2", crash)
    table.set(ID, route("c1", "c2"))
    with pytest.raises(Broken):
        await ask(router)
    assert len(asked) == 1


async def test_an_edge_acknowledges_only_when_the_old_replica_is_idle(table, router, servers, tmp_path):
    release, begun = asyncio.Event(), asyncio.Event()

    async def slow(reader, writer):
        await read_request(reader)
        begun.set()
        await release.wait()
        writer.write(ok(b"late"))

    await servers.start("c1", slow)
    table.set(ID, route("c1"))
    running = asyncio.create_task(ask(router))
    await begun.wait()
    generation = table.set(ID, route("c2"))
    router.route(*ME)
    assert not acknowledged(tmp_path, generation, "c1")
    assert acknowledged(tmp_path, generation, "of-another-endpoint"), "which a long request does not hold up"
    release.set()
    assert (await running).body == b"late"
    assert acknowledged(tmp_path, generation, "c1")


async def test_an_idle_edge_acknowledges_by_itself(table, router, tmp_path):
    watching = asyncio.create_task(router.watch())
    generation = table.set(ID, route("c1"))
    await until(lambda: acknowledged(tmp_path, generation, "c0"))
    watching.cancel()


def test_what_a_full_disk_did_not_take_of_busy_replicas_is_not_taken_for_said(tmp_path, monkeypatch):
    slot = EdgeSlot(tmp_path)
    with monkeypatch.context() as full:
        full.setattr(Path, "write_text", Mock(side_effect=OSError(errno.ENOSPC, "No space left on device")))
        for _ in range(2):
            with pytest.raises(OSError, match="No space"):
                slot.write(9, ["c1"])
    assert not acknowledged(tmp_path, 9, "c1")
    slot.write(9, ["c1"])
    assert not acknowledged(tmp_path, 9, "c1")
    slot.write(9)
    assert acknowledged(tmp_path, 9, "c1")
    slot.close()


async def test_an_edge_whose_disk_is_full_answers_and_acknowledges_later(table, router, servers, tmp_path, monkeypatch):
    release, begun = asyncio.Event(), asyncio.Event()

    async def slow(reader, writer):
        await read_request(reader)
        begun.set()
        await release.wait()
        writer.write(ok(b"late"))

    await servers.start("c1", slow)
    await servers.start("c2", says(ok(b"two")))
    table.set(ID, route("c1"))
    running = asyncio.create_task(ask(router))
    await begun.wait()
    watching = asyncio.create_task(router.watch())
    generation = table.set(ID, route("c2"))
    with monkeypatch.context() as full:
        write = Mock(side_effect=OSError(errno.ENOSPC, "No space left on device"))
        full.setattr(Path, "write_text", write)
        assert (await ask(router)).body == b"two"
        await until(lambda: write.call_count > 3)
        assert not acknowledged(tmp_path, generation, "of-another-endpoint")
    await until(lambda: acknowledged(tmp_path, generation, "of-another-endpoint"))
    assert not acknowledged(tmp_path, generation, "c1")
    release.set()
    assert (await running).body == b"late"
    watching.cancel()


async def test_an_edge_without_a_free_descriptor_goes_on_by_the_routes_it_knows(
    table, router, servers, tmp_path, monkeypatch
):
    await servers.start("c1", says(ok(b"one")))
    table.set(ID, route("c1"))
    assert (await ask(router)).body == b"one"
    watching = asyncio.create_task(router.watch())
    generation = table.set(ID, route("c1", "c2"))
    with monkeypatch.context() as exhausted:
        read = Mock(side_effect=OSError(errno.EMFILE, "Too many open files"))
        exhausted.setattr(Path, "read_bytes", read)
        assert (await ask(router)).body == b"one"
        await until(lambda: read.call_count > 3)
        assert not acknowledged(tmp_path, generation, "c0")
    await until(lambda: acknowledged(tmp_path, generation, "c0"))
    watching.cancel()


def test_dead_and_absent_edges_hold_nobody_up(tmp_path):
    assert acknowledged(tmp_path, 9, "c")
    slot = EdgeSlot(tmp_path)
    assert not acknowledged(tmp_path, 9, "c")
    slot.write(9, {"d"})
    assert acknowledged(tmp_path, 9, "c")
    assert not acknowledged(tmp_path, 9, "d")
    slot.close()
    assert acknowledged(tmp_path, 10, "d")
    assert not list((tmp_path / "edges").iterdir())


def kill(slot):
    """As the kernel does."""
    slot.cells.release()
    slot._counter.close()
    os.close(slot._descriptor)


def test_an_edge_clears_away_what_killed_ones_have_left(tmp_path):
    killed, living = EdgeSlot(tmp_path), EdgeSlot(tmp_path)
    killed.write(1, ["container"])
    kill(killed)
    own = EdgeSlot(tmp_path)
    assert {each.name for each in (tmp_path / "edges").iterdir()} == {living._path.name, own._path.name}
    living.close()
    own.close()


def test_a_disk_that_becomes_full_kills_nobody_who_counts(tmp_path):
    """All blocks are there from the start: the kernel sends SIGBUS where it finds none for what is mapped."""
    slot = EdgeSlot(tmp_path)
    there = slot._path.stat()
    assert there.st_blocks * 512 >= there.st_size > len(slot.cells) * slot.cells.itemsize
    slot.close()


def test_processes_see_what_the_others_have_under_way_until_they_end(tmp_path):
    own, other, killed = (EdgeSlot(tmp_path) for _ in range(3))
    beside, cell = Beside(own), cell_of("c1")
    other.cells[cell], killed.cells[cell], own.cells[cell] = 3, 4, 5
    assert sum(cells[cell] for cells in beside.cells) == 7
    kill(killed)
    beside.look()
    assert [cells[cell] for cells in beside.cells] == [3]
    later = EdgeSlot(tmp_path)
    later.cells[cell] = 1
    other.close()
    beside.look()
    assert [cells[cell] for cells in beside.cells] == [1]
    assert {each.name for each in (tmp_path / "edges").iterdir()} == {own._path.name, later._path.name}


def test_without_a_free_descriptor_the_others_are_those_that_were_there(tmp_path):
    own, other = EdgeSlot(tmp_path), EdgeSlot(tmp_path)
    beside, cell = Beside(own), cell_of("c1")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        beside.look()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    other.cells[cell] = 2
    assert [cells[cell] for cells in beside.cells] == [2]
    own.close()
    other.close()


async def test_a_crowd_that_several_processes_are_asked_by_is_one_crowd(table, router, servers, tmp_path):
    """Each would else let in as many as all together may."""
    gate = asyncio.Event()

    async def wait(reader, writer):
        await read_request(reader)
        await gate.wait()
        writer.write(ok(b"late"))

    await servers.start("c1", wait)
    table.set(ID, route("c1"))
    lane = Router(tmp_path, servers.dial)
    router._beside.look()
    asked = [asyncio.ensure_future(ask(each)) for _ in range(UNKNOWN) for each in (router, lane)]
    refused, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    while len(refused) < UNKNOWN:
        await asyncio.sleep(0.01)
        refused = {each for each in asked if each.done()}
    assert {type(each.exception()) for each in refused} == {Overloaded}
    gate.set()
    answers = [each.result().body for each in asked if each not in refused and await asyncio.wait([each])]
    assert answers == [b"late"] * UNKNOWN
    assert not any(router._cells[:ANSWERS]) and not any(lane._cells[:ANSWERS])
    assert router._cells[ANSWERS + cell_of("c1")] + lane._cells[ANSWERS + cell_of("c1")] == UNKNOWN
    lane.close()


def test_setting_the_same_route_publishes_nothing(table):
    generation = table.set(ID, route("c1"))
    assert table.set(ID, route("c1")) == generation
    assert table.set(ID, None) == generation + 1
    assert table.set(ID, None) == generation + 1
    assert table.replace({ID: route("c2")}) == table.generation == generation + 2


async def test_withdrawn_container_is_not_asked_under_any_name(table, router, servers):
    await servers.start("c2", says(ok(b"two")))
    table.set(ID, route("c1", "c2"))
    generation = table.withdraw({"c1", "unknown"})
    assert table.withdraw({"c1"}) == generation
    await ask(router)
    assert servers.dialled == ["c2"]


def test_published_routes_read_back_as_written():
    written = Route((VariantRoute("v", 1.0, (Target(("c", "d")),), "g", ("one", "two"), direct=True),))
    assert Route.parse(json.loads(json.dumps(asdict(written)))) == written
