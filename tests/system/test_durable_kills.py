"""Clary's processes are killed under a mixed load: what was acknowledged is there, whole (`make soak`: a hundred)."""

from __future__ import annotations

import os
import secrets

import pytest

from tests.durability.kills import leavings, play
from tests.running import RunningClary

pytestmark = pytest.mark.system

KILLS = 4
LONGEST = 0.5


def test_what_was_acknowledged_outlives_kills_at_any_moment(clary: RunningClary) -> None:
    seed = int(os.environ.get("CLARY_KILLS_SEED", secrets.randbelow(10**6)))
    game = play(clary, seed, KILLS, LONGEST)
    assert game.acknowledged
    clary.down()
    assert leavings(clary) == [], f"CLARY_KILLS_SEED={seed}"
    clary.up()
