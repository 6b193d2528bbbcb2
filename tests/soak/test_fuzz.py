"""An hour of all fuzzers, or as many minutes as CLARY_FUZZ_MINUTES says, at seeds that are new: as tests/fuzz, and what
the processes hold at the end is what they held after the first tenth."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator

import pytest

from tests.fuzz.fuzzing import FUZZERS, check_unharmed, one_round, sizes
from tests.running import RunningClary

MINUTES = float(os.environ.get("CLARY_FUZZ_MINUTES", "60"))

MORE_BYTES = 64 * 2**20
"""Of a process after all is deleted, between the first tenth of the time and its end."""

ROUNDS_BEFORE_RESET = 8
"""So that lists do not become longer all the time."""


@pytest.fixture
def clary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningClary]:
    with RunningClary(tmp_path_factory.mktemp("clary"), "--allow-reset") as running:
        yield running


@pytest.mark.timeout(int(MINUTES * 60 * 2 + 1200))
def test_whatever_is_sent_for_an_hour_is_answered_in_awss_words(clary: RunningClary) -> None:
    begun = time.monotonic()
    _fuzz_until(clary, begun + MINUTES * 6)
    before = sizes(clary)
    _fuzz_until(clary, begun + MINUTES * 60)
    check_unharmed(clary, before, MORE_BYTES)


def _fuzz_until(clary: RunningClary, end: float) -> None:
    while time.monotonic() < end:
        for _ in range(ROUNDS_BEFORE_RESET):
            for name in FUZZERS:
                one_round(clary, name, secrets.randbelow(10**9))
        clary.reset()
