"""Whatever is sent, valid, nearly valid or hostile: no error of ours, no hang, no process that dies or grows.

A minute in all: rounds at fixed seeds, and one that is new with each change of the sources: whoever has the same ones
sends the same requests. CLARY_FUZZ_SEED=… repeats one.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.fuzzing import FUZZERS, check_unharmed, one_round, sizes
from tests.running import RunningClary

pytestmark = pytest.mark.system

ROUNDS = {"operations": 2, "framing": 8, "signing": 3, "objects": 3, "strangers": 1, "neighbours": 1}
"""At seeds from 1 on; then the sources' own."""

MORE_BYTES = 200 * 2**20
"""Of a process that has only just begun, in a minute: caches fill, and code is loaded."""

SOURCES = Path(__file__).parents[2] / "src"
GIVEN = os.environ.get("CLARY_FUZZ_SEED")


@pytest.fixture(scope="module")
def clary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningClary]:
    with RunningClary(tmp_path_factory.mktemp("clary"), "--allow-reset") as running:
        yield running


@pytest.mark.parametrize("name", FUZZERS)
def test_whatever_is_sent_is_answered_in_awss_words(clary: RunningClary, name: str) -> None:
    before = sizes(clary)
    seeds = [int(GIVEN)] if GIVEN else [*range(1, ROUNDS[name] + 1), _of_the_sources()]
    for seed in seeds:
        one_round(clary, name, seed)
    check_unharmed(clary, before, MORE_BYTES)


def _of_the_sources() -> int:
    files = sorted(SOURCES.rglob("*.py"))
    return zlib.crc32(b"".join(file.read_bytes() for file in files))
