"""Who is placed and who waits."""

from hypothesis import given
from hypothesis import strategies as st

from clary.controllers.capacity import Capacity, Placed, Queued
from clary.instances import GIB, Shape
from clary.store.rows import Key

LARGE = Shape(2, 8 * GIB)


def key(name):
    return Key("training-job", "0", "r", str(name))


def ledger(cpus=4, gib=32, gpus=0, machine=None):
    woken = []
    whole = Shape(cpus, gib * GIB, gpus)
    return Capacity(machine or whole, whole, woken.append), woken


def test_in_order_of_creation_as_long_as_there_is_room():
    capacity, woken = ledger()
    answers = [capacity.request(key(n), [LARGE], n) for n in range(4)]
    assert answers == [Placed(), Placed(), Queued(1), Queued(2)]
    capacity.release(key(0))
    assert woken == [key(2)]
    assert capacity.request(key(2), [LARGE], 2) == Placed()
    assert capacity.request(key(3), [LARGE], 3) == Queued(1)


def test_a_small_one_does_not_overtake_a_large_one():
    capacity, _ = ledger()
    capacity.request(key("a"), [LARGE], 1)
    assert capacity.request(key("wide"), [Shape(4, GIB)], 2) == Queued(1)
    assert capacity.request(key("small"), [Shape(1, GIB)], 3) == Queued(2)


def test_one_that_was_created_before_comes_before():
    capacity, _ = ledger(cpus=2)
    capacity.request(key("runs"), [LARGE], 1)
    capacity.request(key("late"), [LARGE], 9)
    assert capacity.request(key("early"), [LARGE], 5) == Queued(1)
    assert capacity.queue() == [key("early"), key("late")]


def test_what_is_larger_than_the_machine_has_it_for_itself():
    capacity, _ = ledger()
    assert capacity.request(key("huge"), [Shape(96, 1152 * GIB, 8)] * 4, 1) == Placed()
    assert capacity.request(key("next"), [LARGE], 2) == Queued(1)


def test_an_instance_larger_than_the_machine_counts_as_the_machine():
    capacity, _ = ledger(machine=Shape(2, 16 * GIB))
    wide = Shape(8, 32 * GIB)
    assert [capacity.request(key(n), [wide], n) for n in range(3)] == [Placed(), Placed(), Queued(1)]


def test_memory_and_gpus_are_counted_too():
    capacity, _ = ledger(cpus=64, gib=32, gpus=1)
    assert capacity.request(key("gpu"), [Shape(4, 16 * GIB, 1)], 1) == Placed()
    assert capacity.request(key("gpu-2"), [Shape(4, GIB, 1)], 2) == Queued(1)
    capacity.release(key("gpu-2"))
    assert capacity.request(key("memory"), [Shape(1, 17 * GIB)], 3) == Queued(1)


def test_what_runs_after_a_restart_keeps_its_place_however_full_it_is():
    capacity, _ = ledger(cpus=2)
    for number in range(3):
        capacity.hold(key(number), [LARGE])
    assert capacity.request(key("next"), [LARGE], 9) == Queued(1)
    for number in range(2):
        capacity.release(key(number))
    assert capacity.request(key("next"), [LARGE], 9) == Queued(1)
    capacity.release(key(2))
    assert capacity.request(key("next"), [LARGE], 9) == Placed()


@given(st.lists(st.tuples(st.integers(0, 8), st.sampled_from(["ask", "release"]), st.integers(1, 5)), max_size=60))
def test_never_more_than_there_is_and_nobody_waits_for_nothing(steps):
    capacity, _ = ledger(cpus=4)
    asked = {}
    for name, what, cpus in steps:
        if what == "release":
            capacity.release(key(name))
            asked.pop(name, None)
        else:
            asked.setdefault(name, cpus)
            capacity.request(key(name), [Shape(asked[name], GIB)], name)
        queue = capacity.queue()
        running = [n for n in asked if key(n) not in queue]
        assert sum(min(4, asked[n]) for n in running) <= 4
        assert running or not queue
        assert queue == sorted(queue, key=lambda each: int(each.name))


def test_who_has_not_been_looked_at_yet_is_not_overtaken():
    capacity, woken = ledger(cpus=2)
    capacity.announce(key("first"), 1)
    assert capacity.request(key("second"), [LARGE], 2) == Queued(1)
    assert capacity.request(key("first"), [LARGE], 0.5) == Placed()
    assert capacity.request(key("second"), [LARGE], 2) == Queued(1)
    assert woken == []


def test_who_is_not_ready_holds_up_nobody_and_keeps_its_turn():
    capacity, woken = ledger(cpus=2)
    capacity.announce(key("first"), 1)
    capacity.request(key("second"), [LARGE], 2)
    capacity.defer(key("first"))
    assert woken == [key("second")]
    capacity.announce(key("first"), 3)  # woken for another reason: it is known
    capacity.request(key("third"), [LARGE], 4)
    assert capacity.request(key("first"), [LARGE], 1) == Queued(1)
    capacity.release(key("second"))
    assert woken[-1] == key("first")


def test_who_ends_before_it_asks_holds_up_nobody():
    capacity, woken = ledger()
    capacity.announce(key("first"), 1)
    capacity.request(key("second"), [LARGE], 2)
    capacity.release(key("first"))
    assert woken == [key("second")]


def test_who_runs_is_not_announced():
    capacity, _ = ledger()
    capacity.hold(key("runs"), [LARGE])
    capacity.announce(key("runs"), 1)
    assert capacity.request(key("next"), [LARGE], 2) == Placed()
