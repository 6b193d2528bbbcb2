"""Control steps back behind predictions, once it is ready."""

from __future__ import annotations

import os
import threading

import pytest

from clary.app import control


@pytest.mark.parametrize(("before", "after"), [(0, 5), (5, 5), (10, 10), (19, 19)])
def test_nobody_lowers_the_niceness_that_it_was_started_at(
    monkeypatch: pytest.MonkeyPatch, before: int, after: int
) -> None:
    said: dict[int, int] = {}
    monkeypatch.setattr(os, "getpriority", lambda _kind, _number: before)
    monkeypatch.setattr(os, "setpriority", lambda _kind, number, niceness: said.__setitem__(number, niceness))
    control._step_back()
    assert said[threading.get_native_id()] == after
    assert set(said.values()) == {after}


def test_a_thread_that_has_just_ended_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_kind: int, _number: int) -> int:
        raise ProcessLookupError

    monkeypatch.setattr(os, "getpriority", gone)
    control._step_back()
