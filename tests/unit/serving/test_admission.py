"""How many may wait: over a replica that is only calculated."""

from __future__ import annotations

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
