"""The queue and the loop: nothing is lost, nothing is done twice at once, errors are tried again."""

from __future__ import annotations

import threading
import time

import pytest

from clary.controllers.activities import TRIES, Activities, Done, Failed, Pending
from clary.controllers.loop import Again, Loop, backoff
from clary.controllers.queue import WorkQueue
from clary.store.rows import Key, Stale
from clary.workload.errors import WorkloadError
from clary.workload.failure import INTERNAL

KEY = Key("job", "0", "r", "j")


@pytest.fixture
def queue():
    made = WorkQueue()
    yield made
    made.close()


def test_a_key_waits_once(queue):
    for name in "aab":
        queue.add(name)
    assert [queue.get(), queue.get()] == ["a", "b"]


def test_a_key_added_while_it_is_worked_on_comes_again_afterwards(queue):
    queue.add("a")
    assert queue.get() == "a"
    queue.add("a")
    queue.add("b")
    assert queue.get() == "b"
    queue.done("a")
    assert queue.get() == "a"


def test_the_earlier_of_two_times_counts(queue):
    queue.add_after("late", 60)
    queue.add_after("soon", 120)
    queue.add_after("soon", 0.001)
    assert queue.get() == "soon"
    queue.add_after("late", 0.001)
    assert queue.get() == "late"


def test_a_look_now_makes_the_later_one_needless(queue):
    queue.add_after("a", 0.01)
    queue.add("a")
    assert queue.get() == "a"
    queue.done("a")
    queue.add_after("b", 0.03)
    assert queue.get() == "b"


def test_closing_frees_whoever_waits(queue):
    freed = threading.Event()
    threading.Thread(target=lambda: freed.set() if queue.get() is None else None, daemon=True).start()
    queue.close()
    assert freed.wait(60)


class Scripted:
    """A reconciler that does one thing after another, and says when it has done them all."""

    def __init__(self, *actions):
        self.actions, self.times, self.ended = list(actions), [], threading.Event()

    def reconcile(self, _key):
        self.times.append(time.monotonic())
        action = self.actions.pop(0)
        if not self.actions:
            self.ended.set()
        if isinstance(action, Exception):
            raise action
        return action


@pytest.fixture
def run():
    loops = []

    def start(scripted):
        loop = Loop(threads=2)
        loops.append(loop)
        loop.start({"job": scripted})
        loop.wake(Key("model", "0", "r", "nobody's"))
        loop.wake(KEY)
        assert scripted.ended.wait(60)
        return scripted

    yield start
    for loop in loops:
        loop.close()


def test_again_after_what_the_reconciler_says(run):
    first, second = run(Scripted(0.05, None)).times
    assert 0.04 < second - first < 30


def test_a_row_that_has_changed_is_read_again_at_once(run):
    assert len(run(Scripted(Stale(KEY), None)).times) == 2


def test_again_is_an_expected_error(run, caplog):
    run(Scripted(Again(0.01), None))
    assert not caplog.records


def test_an_unexpected_error_is_logged_and_tried_again(run, caplog):
    run(Scripted(RuntimeError("disk on fire"), None))
    assert "disk on fire" in caplog.text


def test_backoff_grows_to_a_limit():
    assert [backoff(1), backoff(2), backoff(1000)] == [0.1, 0.2, 60.0]


def test_one_key_is_never_worked_on_by_two_threads():
    loop, inside, most, ended = Loop(threads=4), [], [], threading.Event()

    class Slow:
        def reconcile(self, _key):
            inside.append(1)
            most.append(len(inside))
            loop.wake(KEY) if len(most) < 20 else ended.set()
            time.sleep(0.001)
            inside.pop()

    loop.start({"job": Slow()})
    loop.wake(KEY)
    assert ended.wait(60)
    loop.close()
    assert max(most) == 1


@pytest.fixture
def woken():
    return threading.Event()


@pytest.fixture
def activities(woken):
    made = Activities(lambda key: woken.set() if key == KEY else None)
    yield made
    made.close()


def test_activity_wakes_its_resource_with_a_value(activities, woken):
    go = threading.Event()
    activities.begin(KEY, "a", lambda _ended: go.wait(60) and 7)
    activities.begin(KEY, "a", lambda _ended: 8)
    assert activities.outcome(KEY, "a") == Pending()
    go.set()
    assert woken.wait(60)
    assert activities.outcome(KEY, "a") == Done(7)
    activities.forget(KEY)
    assert activities.outcome(KEY, "a") is None


def test_activity_that_cannot_be_done_is_not_tried_again(activities, woken):
    tries = []

    def work(_ended):
        tries.append(1)
        raise WorkloadError("ClientError: no")

    activities.begin(KEY, "a", work)
    assert woken.wait(60)
    assert activities.outcome(KEY, "a") == Failed("ClientError: no")
    assert len(tries) == 1


def test_activity_with_unexpected_errors_is_tried_some_times(activities, woken, monkeypatch):
    monkeypatch.setattr("clary.controllers.activities._PAUSE", 0.001)
    tries = []

    def work(_ended):
        tries.append(1)
        raise OSError("no space left")

    activities.begin(KEY, "a", work)
    assert woken.wait(60)
    assert (activities.outcome(KEY, "a"), len(tries)) == (Failed(INTERNAL), TRIES)


def test_activity_hears_that_it_is_not_wanted(activities, woken):
    begun = threading.Event()

    def work(ended):
        begun.set()
        while not ended():
            time.sleep(0.001)
        return "ended"

    activities.begin(KEY, "a", work)
    begun.wait(60)
    activities.cancel(KEY, "a")
    assert woken.wait(60)
    assert activities.outcome(KEY, "a") == Done("ended")


def test_outcome_of_forgotten_work_is_nobodys(activities, woken):
    go, left = threading.Event(), threading.Event()

    def work(_ended):
        go.wait(60)
        left.set()

    activities.begin(KEY, "a", work)
    activities.forget(KEY)
    activities.begin(KEY, "a", lambda _ended: "new")
    assert woken.wait(60)
    go.set()
    left.wait(60)
    assert activities.outcome(KEY, "a") == Done("new")
