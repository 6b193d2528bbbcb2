"""A replica killed every second for a minute, of two: no request fails (docs/endpoints.md)."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.running import RunningClary, wait_until
from tests.system.endpoints import counted, deploy, load, model, more, serving, variant
from tests.system.jobs import JOB_SECONDS, Jobs

SECONDS = 60


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    with RunningClary(tmp_path / "clary") as clary:
        yield Jobs(clary)


@pytest.mark.timeout(SECONDS + 600)
def test_a_replica_killed_every_second_for_a_minute_fails_no_request_with_two(jobs: Jobs) -> None:
    name, chance = deploy(jobs, "minute", variant("v", model(jobs, "minute-1"), 2)), random.Random(1)
    with load(jobs, name) as (answers, failures):
        began = time.monotonic()
        for second in range(SECONDS):
            time.sleep(max(0.0, began + second - time.monotonic()))
            with suppress(ProcessLookupError):  # it has ended by itself just now
                os.kill(chance.choice(running(jobs, "minute-1")), signal.SIGKILL)
        wait_until(lambda: counted(jobs, name) == 2, JOB_SECONDS, "both are there again")
        wait_until(more(answers, "minute-1"), 60, "the endpoint answers")
    assert not failures, f"{len(failures)} of {sum(answers.values())} requests failed: {failures[0]}"
    assert answers["minute-1"] > SECONDS


def running(jobs: Jobs, model_name: str) -> list[int]:
    """Of the containers that serve this model those that are alive, starting ones too."""
    found: list[int] = wait_until(
        lambda: [pid for pid in serving(jobs, model_name) if Path(f"/proc/{pid}").exists()],
        JOB_SECONDS,
        "one of the containers runs",
    )
    return found
