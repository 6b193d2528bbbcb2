"""What an endpoint takes of the machine while nobody asks it."""

from __future__ import annotations

import pytest

from clary.compute import record
from clary.settings import Settings
from tests.processes import bytes_of, family
from tests.running import RunningClary
from tests.system.jobs import Jobs

pytestmark = [pytest.mark.system]

MIB = 2**20
OWN_MIB = 13.0
"""Pages that shim, PID 1 and model server share with nobody, as measured."""
LOADS = """\
from sklearn.linear_model import LogisticRegression


def model_fn(model_dir):
    return LogisticRegression().fit([[0.0], [1.0]], [0, 1])
"""


def test_an_idle_endpoint_owns_at_most_a_third_more_memory_than_was_measured(shared: RunningClary) -> None:
    jobs = Jobs(shared)
    before = _shims(shared)
    jobs.deploy("idle", LOADS)
    [shim] = _shims(shared) - before
    processes = list(family(shim))
    assert [depth for depth, _ in processes] == [0, 1, 2]
    own = sum(bytes_of(pid, "Private_Clean", "Private_Dirty") for _, pid in processes) / MIB
    assert own < OWN_MIB * 4 / 3


def _shims(clary: RunningClary) -> set[int]:
    folders = Settings(data_dir=clary.data_dir).containers_dir.iterdir()
    return {handle["pid"] for folder in folders if (handle := record.read(str(folder), record.HANDLE))}
