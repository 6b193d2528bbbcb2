"""How many may wait: over a replica that is only calculated."""

from __future__ import annotations

import heapq
import itertools
import random

import pytest

from clary.serving.admission import FEW, FREE, UNKNOWN, WAIT_SECONDS, Pace
from clary.serving.chain import Passed


class Model:
    """Answers one request after the other, `lanes` of them at once, each in `seconds`."""

    def __init__(self, seconds: float, lanes: int = 1) -> None:
        self.pace, self.seconds, self.lanes = Pace(), seconds, lanes
        self.now = 100.0
        self.waiting: list[tuple[float, float, bool]] = []
        """When each came, when it is answered, and whether hardly anyone was there."""
        self.latencies: list[float] = []

    def ask(self) -> bool:
        """Whether it is admitted."""
        if self.pace.full(len(self.waiting), self.now):
            return False
        before = sorted(done for _, done, _ in self.waiting)[-self.lanes :]
        begins = max(self.now, before[0]) if len(before) == self.lanes else self.now
        self.waiting.append((self.now, begins + self.seconds, len(self.waiting) < FEW))
        return True

    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self.now += seconds
        for came, done, few in sorted(self.waiting):
            if done <= self.now:
                self.waiting.remove((came, done, few))
                self.latencies.append(done - came)
                self.pace.answered += 1
                if few:
                    self.pace.note([Passed(0, done - came)])

    def under_load(self, rate: float, seconds: float) -> int:
        """Requests come evenly; how many were refused."""
        refused = 0
        for _ in range(int(rate * seconds)):
            refused += not self.ask()
            self.wait(1 / rate)
        return refused


@pytest.mark.parametrize("seconds", [0.5, 5.0, 50.0])
def test_some_may_always_wait_however_slow_it_is(seconds: float) -> None:
    model = Model(seconds)
    assert all(model.ask() for _ in range(FREE))


def test_a_crowd_that_comes_at_once_is_let_in_as_far_as_nothing_is_known() -> None:
    model = Model(1.0)
    assert sum(model.ask() for _ in range(1000)) == UNKNOWN


def test_of_a_model_that_is_known_to_be_fast_any_crowd_is_let_in() -> None:
    model = Model(0.001)
    model.under_load(100, 1)
    assert sum(model.ask() for _ in range(1000)) == 1000


@pytest.mark.parametrize("seconds", [0.01, 0.05, 0.1])
def test_ten_times_too_many_wait_for_a_bounded_time(seconds: float) -> None:
    model = Model(seconds)
    refused = model.under_load(10 / seconds, 20)
    assert refused > 0.85 * 10 / seconds * 20
    assert max(model.latencies) < 1.5 * max(WAIT_SECONDS, UNKNOWN * seconds)
    model.wait(1.5 * WAIT_SECONDS)
    assert model.waiting == []
    model.latencies.clear()
    assert model.ask()
    model.wait(seconds)
    assert model.latencies == [pytest.approx(seconds)]


@pytest.mark.parametrize(("seconds", "lanes"), [(0.01, 1), (1.0, 50), (20.0, 100)])
def test_what_it_can_do_is_never_refused(seconds: float, lanes: int) -> None:
    model = Model(seconds, lanes)
    model.under_load(0.9 * min(lanes, FREE) / seconds, 3 * seconds + 1)
    assert model.under_load(0.9 * lanes / seconds, 5 * seconds + 5) == 0


def test_a_model_that_has_become_slow_is_given_less() -> None:
    model = Model(0.001)
    model.under_load(500, 5)
    model.seconds = 0.5
    model.under_load(500, 10)
    assert len(model.waiting) <= 2 * UNKNOWN or model.under_load(500, 5) > 2000


def test_a_model_that_answers_nothing_any_more_is_given_no_more() -> None:
    model = Model(3600)
    model.under_load(100, 3)
    assert len(model.waiting) == UNKNOWN
    assert model.under_load(100, 3) == 300


def longest(first: int, second: int, seed: int, seconds: float = 0.05) -> float:
    """Of what is accepted for eight seconds, how long the slowest takes: so many clients of two processes, those of one
    a moment sooner. They ask again at once when they are answered, and after up to a second when they are refused."""
    by, number = random.Random(seed), itertools.count()
    paces, waiting = (Pace(), Pace()), [0, 0]
    for pace in paces:
        pace.note([Passed(0, seconds)])
    events: list[tuple[float, int, int, float | None]] = []
    for client in range(first + second):
        whose = int(client >= first)
        events.append((100 + 0.05 * (whose + by.random()), next(number), whose, None))
    heapq.heapify(events)
    most = free = 0.0
    while events:
        now, _, whose, came = heapq.heappop(events)
        if came is not None:
            waiting[whose] -= 1
            paces[whose].answered += 1
            most = max(most, now - came)
        if now > 108:
            continue
        if paces[whose].full(waiting[whose], now, waiting[1 - whose], paces[1 - whose].answered):
            heapq.heappush(events, (now + by.random(), next(number), whose, None))
        else:
            waiting[whose] += 1
            free = max(now, free) + seconds
            heapq.heappush(events, (free, next(number), whose, now))
    return most


@pytest.mark.parametrize(("first", "second"), [(200, 0), (190, 10), (100, 100), (50, 150), (20, 180)])
def test_however_a_crowd_is_shared_by_two_processes_it_waits_as_long_as_with_one(first: int, second: int) -> None:
    assert max(longest(first, second, seed) for seed in range(5)) < 1.12 * WAIT_SECONDS


def test_the_answers_of_a_process_that_has_gone_are_forgotten_with_it() -> None:
    pace = Pace()
    assert not pace.full(FREE, 100.0, 0, 1_000_000)
    pace.answered = 20
    assert not pace.full(FREE, 101.5, 0, 0)  # counted anew
    pace.answered = 60
    assert not pace.full(FREE, 103.0, 0, 0)
    assert pace.full(500, 103.0, 0, 0)
