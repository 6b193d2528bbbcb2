"""Whatever is sent, valid, nearly valid or hostile: no error of ours, no hang, no process that dies or grows.

A minute in all, at the same seeds each time: what new ones find, `make soak` finds. CLARY_FUZZ_SEED=… repeats one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.fuzz.fuzzing import FUZZERS, check_unharmed, one_round, sizes
from tests.running import RunningClary

pytestmark = pytest.mark.system

ROUNDS = {"operations": 3, "framing": 9, "signing": 4, "objects": 4, "strangers": 2, "neighbours": 2}
"""At seeds from 1 on."""

MORE_BYTES = 200 * 2**20
"""Of a process that has only just begun, in a minute: caches fill, and code is loaded."""

GIVEN = os.environ.get("CLARY_FUZZ_SEED")


@pytest.fixture(scope="module")
def clary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningClary]:
    with RunningClary(tmp_path_factory.mktemp("clary"), "--allow-reset") as running:
        yield running


@pytest.mark.parametrize("name", FUZZERS)
def test_whatever_is_sent_is_answered_in_awss_words(clary: RunningClary, name: str) -> None:
    before = sizes(clary)
    seeds = [int(GIVEN)] if GIVEN else range(1, ROUNDS[name] + 1)
    for seed in seeds:
        one_round(clary, name, seed)
    check_unharmed(clary, before, MORE_BYTES)
