"""Clary's processes are killed at any moment of a job's start, two hundred times: each job ends well, and ran once."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.running import RunningClary, wait_until
from tests.system.jobs import ENDED, Jobs

KILLED = (("supervisor", "control", "launcher", "edge"), ("control",), ("launcher",), ("control", "launcher"))
ROUNDS = 200
START_SECONDS = 0.15
ALL_SECONDS = 1200


@pytest.fixture
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    with RunningClary(tmp_path_factory.mktemp("clary")) as running:
        started = Jobs(running)
        started.ended(started.start("warm", "print('ran')"))
        yield started


@pytest.mark.timeout(ALL_SECONDS)
def test_whatever_is_killed_whenever_a_job_ends_well_and_ran_once(jobs: Jobs) -> None:
    chance = random.Random(3)
    for number in range(ROUNDS):
        name, killed, moment = f"kill-{number}", chance.choice(KILLED), chance.uniform(0, START_SECONDS)
        jobs.start(name, "print('ran')")
        time.sleep(moment)
        _kill(jobs.clary, killed)
        job = wait_until(lambda name=name: _ended(jobs, name), 60, f"{name} ends; killed {killed} at {moment:.3f} s")  # type: ignore[misc]
        assert job["TrainingJobStatus"] == "Completed", (killed, moment, job["FailureReason"])
        assert jobs.said(name).count("ran") == 1, (killed, moment)


def _kill(clary: RunningClary, names: tuple[str, ...]) -> None:
    for name in names:
        with suppress(LookupError):  # a launcher that was killed a moment ago may not be back
            clary.kill(name)
    if "supervisor" in names:
        clary.up()


def _ended(jobs: Jobs, name: str) -> dict[str, object] | None:
    with suppress(BotoCoreError, ClientError):
        job: dict[str, object] = jobs.describe(name)
        return job if job["TrainingJobStatus"] in ENDED else None
    return None
