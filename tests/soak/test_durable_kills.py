"""A hundred times a process of Clary's is killed at any moment under a mixed load: what was acknowledged is there,
whole, and of what was not acknowledged there is no half. CLARY_KILLS_SEED=… repeats one, CLARY_KILLS says how many."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest

from tests.durability.kills import leavings, log_of, play
from tests.running import RunningClary

KILLS = int(os.environ.get("CLARY_KILLS", "100"))
SEED = int(os.environ.get("CLARY_KILLS_SEED", secrets.randbelow(10**6)))
LONGEST = 1.5
"""Seconds from the beginning of the load to the kill, at most."""


@pytest.fixture
def clary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningClary]:
    with RunningClary(tmp_path_factory.mktemp("clary")) as running:
        yield running


@pytest.mark.timeout(60 * KILLS + 600)
def test_whatever_is_killed_whenever_what_was_acknowledged_is_there_whole(
    clary: RunningClary, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(f"\nseed {SEED}")
    game = play(clary, SEED, KILLS, LONGEST)
    with capsys.disabled():
        print(f"{KILLS} kills, {game.acknowledged} calls acknowledged, {game.lost} lost")
    assert "Traceback" not in log_of(clary), log_of(clary).partition("Traceback")[2][:5000]
    clary.down()
    assert leavings(clary) == []
