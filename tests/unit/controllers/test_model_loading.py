"""Which models leave a container for another one, and who loads while others wait."""

from __future__ import annotations

import itertools
import os
import threading

from clary.app.edge import noting
from clary.controllers.model_loading import Turns, oldest_first
from clary.settings import Settings
from clary.workload.bundle import Bundle


def test_the_model_that_was_not_used_for_longest_is_the_first_to_leave(tmp_path):
    for name, used in (("a", 3), ("b", 1), ("c", 2), ("d", 0)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (used, used))
    assert [folder.name for folder in oldest_first(tmp_path, but="d")] == ["b", "c", "a"]
    assert oldest_first(tmp_path / "a", but="a") == []


def test_uses_within_one_tick_of_the_kernel_are_told_apart(tmp_path):
    settings = Settings(data_dir=tmp_path)
    models, used = Bundle.of(settings, "one").models, noting(settings)
    for name in "abc":
        (models / name).mkdir(parents=True)
    for order in itertools.islice(itertools.cycle(itertools.permutations("abc")), 100):
        for name in order:
            used("one", name)
        assert [folder.name for folder in oldest_first(models, but="")] == list(order)


def test_a_turn_is_one_callers_at_a_time_and_another_names_turn_is_free():
    turns = Turns()
    with turns.of("a", 0.0) as mine, turns.of("a", 0.0) as second, turns.of("b", 0.0) as other:
        assert (mine, second, other) == (True, False, True)
    with turns.of("a", 0.0) as mine:
        assert mine


def test_who_waits_for_a_turn_gets_it_when_it_is_over():
    turns, told = Turns(), []
    waiting = threading.Event()

    def wait() -> None:
        waiting.set()
        with turns.of("a", 30.0) as mine:
            told.append(mine)

    with turns.of("a", 0.0):
        beside = threading.Thread(target=wait)
        beside.start()
        waiting.wait(60)
        assert told == []
    beside.join(60)
    assert told == [True]
