"""For all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from clary.compute.docker_api import Engine
from tests import engine as engines
from tests import memory

settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")  # how long an example takes says more of the machine than of the code


def pytest_configure(config: pytest.Config) -> None:
    """Hours of load are written to the disk, as a user's are; the rest to memory, where there is room."""
    long = any("soak" in Path(argument).parts for argument in config.args)
    if not long and memory.chosen() is None and (found := memory.place()):
        os.environ[memory.TEMPORARY] = str(found)


@pytest.fixture(scope="session")
def container_engine() -> Iterator[Engine]:
    """A container engine, or the test is skipped. One for all files of a worker: the last who leaves it removes its
    images, and whoever comes next makes them again, of a whole Python."""
    with engines.engine() as found:
        yield found
