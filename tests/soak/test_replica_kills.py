"""A replica killed every second for a minute, of two: no request fails (docs/endpoints.md)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import RunningClary, wait_until
from tests.system.endpoints import counted, deploy, kill_every_second, load, model, more, variant
from tests.system.jobs import JOB_SECONDS, Jobs

SECONDS = 60


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    with RunningClary(tmp_path / "clary") as clary:
        yield Jobs(clary)


@pytest.mark.timeout(SECONDS + 600)
def test_a_replica_killed_every_second_for_a_minute_fails_no_request_with_two(jobs: Jobs) -> None:
    name = deploy(jobs, "minute", variant("v", model(jobs, "minute-1"), 2))
    with load(jobs, name) as (answers, failures):
        kill_every_second(jobs, "minute-1", SECONDS)
        wait_until(lambda: counted(jobs, name) == 2, JOB_SECONDS, "both are there again")
        wait_until(more(answers, "minute-1"), 60, "the endpoint answers")
    assert not failures, f"{len(failures)} of {sum(answers.values())} requests failed: {failures[0]}"
    assert answers["minute-1"] > SECONDS
