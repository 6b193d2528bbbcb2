"""Environments by turns: who is idle is asked again, who is old is let go, who is too many is refused."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace

import pytest

from clary.errors import AWSError
from clary.functions.environment import Gone, Place
from clary.functions.pool import NeverReady, Pool
from clary.toolkit.function import frames
from tests.unit.functions.test_function_table import FUNCTION


class Ended:
    code, signal, out_of_memory, reason = 1, None, False, ""


class Freezer:
    """Remembers what it was told."""

    def __init__(self):
        self.told = []

    def stop(self):
        self.told.append("stop")

    def go(self):
        self.told.append("go")

    def close(self):
        self.told.append("close")


class Sandboxes:
    """Runtimes that say they are ready; the tests hold their ends."""

    def __init__(self):
        self.ends, self.freezers, self.killed, self.graces, self.dead = {}, {}, [], [], set()

    def dial(self, container):
        if container in self.dead:
            raise FileNotFoundError(container)
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.sendall(frames.pack({"ready": True, "memory": 5}))
        self.ends[container] = theirs
        return ours

    def freezer(self, container):
        return self.freezers.setdefault(container, Freezer())

    def kill(self, container, grace):
        self.killed.append(container)
        self.graces.append(grace)

    def ending(self, container):
        return Ended() if container in self.dead else None


class Control:
    """Starts what is asked for."""

    def __init__(self):
        self.started = 0

    async def __call__(self, _function, _version):
        self.started += 1
        return Place(f"fn-{self.started}", "/dev/null")


@pytest.fixture
def parts():
    sandboxes, control = Sandboxes(), Control()
    pool = Pool(control, sandboxes, 2)
    yield pool, sandboxes, control
    pool.close()
    for end in sandboxes.ends.values():
        end.close()


LATEST = FUNCTION.versions["$LATEST"]


def test_an_idle_environment_is_asked_again(parts):
    pool, _, control = parts

    async def twice():
        first = await pool.take(FUNCTION, LATEST)
        pool.give(FUNCTION, first)
        return first, await pool.take(FUNCTION, LATEST)

    first, second = asyncio.run(twice())
    assert first is second
    assert (control.started, first.connection.memory) == (1, 5)


def test_an_environment_is_stopped_while_nobody_asks_it(parts):
    pool, sandboxes, _ = parts

    async def ask():
        environment = await pool.take(FUNCTION, LATEST)
        assert sandboxes.freezers["fn-1"].told == []
        pool.give(FUNCTION, environment)
        assert sandboxes.freezers["fn-1"].told == ["stop"]
        await pool.take(FUNCTION, LATEST)
        assert sandboxes.freezers["fn-1"].told == ["stop", "go"]
        await pool.end(environment, gone=False)

    asyncio.run(ask())
    assert sandboxes.freezers["fn-1"].told == ["stop", "go", "close"]


def test_one_that_has_gone_may_end_by_itself_and_one_that_is_late_may_not(parts):
    pool, sandboxes, _ = parts

    async def end():
        for gone in (True, False):
            await pool.end(await pool.take(FUNCTION, LATEST), gone=gone)

    asyncio.run(end())
    gone, late = sandboxes.graces
    assert gone > late == 0


def test_one_of_another_revision_is_not_asked_and_is_let_go(parts):
    pool, sandboxes, control = parts

    async def changed():
        first = await pool.take(FUNCTION, LATEST)
        pool.give(FUNCTION, first)
        second = await pool.take(FUNCTION, replace(LATEST, revision="other"))
        pool.prune({"other"})
        await asyncio.sleep(0)
        return first, second

    first, second = asyncio.run(changed())
    assert first is not second
    assert not first.connection.open
    assert control.started == 2
    sandboxes.ends["fn-1"].settimeout(60)
    assert sandboxes.ends["fn-1"].recv(1) == b""


def test_one_whose_connection_has_ended_is_not_asked(parts):
    pool, sandboxes, control = parts

    async def lost():
        first = await pool.take(FUNCTION, LATEST)
        pool.give(FUNCTION, first)
        sandboxes.ends["fn-1"].close()
        with pytest.raises(Gone):
            await first.connection.receive()
        return await pool.take(FUNCTION, LATEST)

    asyncio.run(lost())
    assert control.started == 2


def test_a_container_that_ends_before_it_listens_is_told(parts):
    pool, sandboxes, _ = parts
    sandboxes.dead.add("fn-1")
    with pytest.raises(NeverReady):
        asyncio.run(pool.take(FUNCTION, LATEST))


@pytest.mark.parametrize(
    ("reserved", "reason"),
    [(0, "ReservedFunctionConcurrentInvocationLimitExceeded"), (None, "ConcurrentInvocationLimitExceeded")],
)
def test_too_many_at_once_are_refused(parts, reserved, reason):
    pool, _, _ = parts
    function = replace(FUNCTION, reserved=reserved)

    async def many():
        async with pool.turn(function), pool.turn(function), pool.turn(function):
            return

    with pytest.raises(AWSError) as error:
        asyncio.run(many())
    assert (error.value.status, error.value.members["Reason"]) == (429, reason)
    asyncio.run(one(pool))


async def one(pool):
    """Whoever was refused holds no place."""
    async with pool.turn(FUNCTION) as concurrency:
        assert concurrency == 1
