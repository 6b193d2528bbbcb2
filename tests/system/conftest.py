"""A really started Clary for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import RunningClary


@pytest.fixture
def clary(tmp_path: Path) -> Iterator[RunningClary]:
    """One of the test's own, on a free port and an empty data folder."""
    with RunningClary(tmp_path / "data") as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningClary]:
    """One for all tests of a file, which may be reset."""
    with RunningClary(tmp_path_factory.mktemp("clary"), "--allow-reset") as running:
        yield running
