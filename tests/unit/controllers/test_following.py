"""What is done for a job while it runs: when it falls due, never twice at once, once more at the end."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from clary.controllers.activities import Activities, Pending
from clary.controllers.following import Chore, Following
from clary.store.rows import Key, Row

NOW = 1000.0


def row(name="job"):
    made = datetime.fromtimestamp(NOW, UTC)
    return Row(Key("training-job", "0", "r", name), "arn", "Training", made, made, {})


class World:
    def __init__(self):
        self.woken = threading.Event()
        self.activities = Activities(lambda _: self.woken.set())
        self.done = []
        self.free = threading.Event()
        self.free.set()
        chores = (
            Chore("often", 5.0, lambda _: True, self.work("often")),
            Chore("at end", 10.0, lambda row: row.key.name == "job", self.work("at end"), at_end=True),
        )
        self.following = Following(self.activities, chores)

    def work(self, name):
        def work(row):
            assert self.free.wait(60)
            self.done.append((name, row.key.name))

        return work

    def follow(self, now, name="job"):
        """Once more, and wait for what was begun."""
        self.woken.clear()
        return self.following.follow(row(name), now)


@pytest.fixture
def world():
    made = World()
    yield made
    made.free.set()
    made.activities.close()


def test_nothing_is_done_before_its_time(world):
    assert world.follow(NOW) == 5.0
    assert world.follow(NOW + 3) == 2.0
    assert world.done == []


def test_a_chore_is_begun_when_it_is_due_and_then_again(world):
    world.follow(NOW, "other")
    for times in (1, 2):
        assert world.follow(NOW + 5 * times, "other") == 5.0
        assert world.woken.wait(60)
        assert world.done == [("often", "other")] * times


def test_a_chore_that_is_still_under_way_is_not_begun_again(world):
    world.free.clear()
    world.follow(NOW, "other")
    world.follow(NOW + 5, "other")
    assert world.activities.outcome(row("other").key, "often") == Pending()
    world.follow(NOW + 10, "other")
    world.free.set()
    assert world.woken.wait(60)
    world.activities.close()
    assert world.done == [("often", "other")]


def test_at_the_end_only_what_wants_the_last_lines_is_done_and_only_for_who_wants_it(world):
    world.following.finish(row())
    world.following.finish(row("other"))
    assert world.done == [("at end", "job")]


def test_a_job_that_has_ended_is_forgotten(world):
    world.follow(NOW)
    world.following.forget(row().key)
    assert world.follow(NOW + 100) == 5.0
