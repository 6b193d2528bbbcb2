"""For all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import memory

settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")  # how long an example takes says more of the machine than of the code


def pytest_configure(config: pytest.Config) -> None:
    """Hours of load are written to the disk, as a user's are; the rest to memory, where there is room."""
    long = any("soak" in Path(argument).parts for argument in config.args)
    if not long and memory.chosen() is None and (found := memory.place()):
        os.environ[memory.TEMPORARY] = str(found)
