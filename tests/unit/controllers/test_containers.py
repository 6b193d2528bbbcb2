"""Who a container belongs to, and that nobody's container stays: whatever happens while it starts."""

from __future__ import annotations

import pytest

from clary.compute.base import Absent, Container, Running
from clary.controllers import container as containers
from clary.controllers.container import RETIRE_KIND, Containers
from clary.serving.slots import EdgeSlot
from clary.store.rows import Key

ENDPOINT = Key("endpoint", "000000000000", "us-east-1", "e")
WHAT = Container(argv=("true",), env={}, log="/dev/null")


class Backend:
    """Containers that run until they are stopped."""

    def __init__(self):
        self.running, self.removed = set(), []

    def start(self, container, _what):
        self.running.add(container)

    def poll(self, container):
        return Running(0.0) if container in self.running else Absent()

    def stop(self, container, _grace):
        self.running.discard(container)

    def remove(self, container):
        self.stop(container, 0)
        self.removed.append(container)

    def list(self):
        return list(self.running)


class RowIsRenamedBeforeTheStart(Backend):
    """Whoever renamed the row lets go of the container, and finds that there is none yet."""

    def start(self, container, what):
        self.world.containers.retire([container])
        self.world.settle()
        super().start(container, what)


class RowIsRenamedAfterTheStart(Backend):
    """The container is there already, and its start has not returned."""

    def start(self, container, what):
        super().start(container, what)
        self.world.containers.retire([container])


class World:
    def __init__(self, backend, run_dir):
        self.backend, self.woken = backend, []
        self.containers = Containers(backend, run_dir, self.woken.append)
        backend.world = self

    def settle(self):
        while self.woken:
            key = self.woken.pop(0)
            if key.kind == RETIRE_KIND and self.containers.reconcile(key) is not None:
                self.woken.append(key)


@pytest.mark.parametrize("backend", [RowIsRenamedBeforeTheStart, RowIsRenamedAfterTheStart])
def test_a_container_whose_row_was_renamed_while_it_started_ends(tmp_path, backend):
    world = World(backend(), tmp_path)
    world.containers.own("c", ENDPOINT)
    world.containers.start("c", WHAT, ENDPOINT)
    world.settle()
    assert not world.backend.running
    assert world.containers.owned_by(ENDPOINT) == set()


def test_what_was_laid_out_for_a_container_that_is_nobodys_is_removed(tmp_path):
    world = World(Backend(), tmp_path)
    world.containers.own("c", ENDPOINT)
    world.containers.end_unless_owned("c", ENDPOINT)
    assert not world.woken
    world.containers.retire(["c"])
    world.settle()
    world.containers.end_unless_owned("c", ENDPOINT)
    world.settle()
    assert world.backend.removed == ["c", "c"]


def test_a_container_that_is_owned_goes_on(tmp_path):
    world = World(Backend(), tmp_path)
    world.containers.own("c", ENDPOINT)
    world.containers.start("c", WHAT, ENDPOINT)
    world.settle()
    assert world.backend.running == {"c"}


def retiring(tmp_path):
    """A container that is not routed to any more from generation 2 on, at an edge that has come to generation 1."""
    world, edge = World(Backend(), tmp_path), EdgeSlot(tmp_path)
    edge.write(1)
    world.containers.own("c", ENDPOINT)
    world.containers.start("c", WHAT, ENDPOINT)
    world.containers.retire(["c"], 2)
    return world, edge


def seen(world):
    """Look at the container once more; what became of it."""
    world.containers.reconcile(Key(RETIRE_KIND, "", "", "c"))
    return world.backend.running


def test_a_container_ends_when_the_edge_knows_of_it_and_has_no_request_with_it(tmp_path):
    world, edge = retiring(tmp_path)
    assert seen(world) == {"c"}, "the edge may still send requests there"
    edge.write(2, {"c"})
    assert seen(world) == {"c"}, "it waits for an answer"
    edge.write(2)
    assert seen(world) == set()
    edge.close()


@pytest.mark.parametrize("busy", [False, True], ids=["an edge that hears nothing", "a request that never ends"])
def test_nothing_holds_a_container_for_ever(tmp_path, monkeypatch, busy):
    world, edge = retiring(tmp_path)
    if busy:
        edge.write(2, {"c"})
    assert seen(world) == {"c"}
    monkeypatch.setattr(containers, "DRAIN_SECONDS", 0.0)
    assert seen(world) == set()
    edge.close()
