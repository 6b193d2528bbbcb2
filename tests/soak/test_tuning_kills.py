"""Clary's processes are killed at any moment of a tuning, again and again: it loses no trial and runs none twice."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.running import RunningClary, wait_until
from tests.system.jobs import Jobs
from tests.system.tunings import Tunings

KILLED = (("supervisor", "control", "launcher", "edge"), ("control",), ("control",), ("control",), ("launcher",))
TRIALS = 60
LONGEST_PEACE = 2.0
ALL_SECONDS = 1200


@pytest.fixture
def tunings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tunings]:
    with RunningClary(tmp_path_factory.mktemp("clary")) as running:
        yield Tunings(Jobs(running))


@pytest.mark.timeout(ALL_SECONDS)
def test_whatever_is_killed_whenever_each_trial_ran_once(tunings: Tunings) -> None:
    chance, name = random.Random(5), "killed"
    tunings.start(name, tunings.definition(), jobs=TRIALS, Strategy="Bayesian")
    kills = 0
    while not _ended(tunings, name):
        time.sleep(chance.uniform(0, LONGEST_PEACE))
        _kill(tunings.jobs.clary, chance.choice(KILLED))
        kills += 1
    assert kills > TRIALS / 20
    tuning = wait_until(lambda: _ended(tunings, name), 30, "everything is answered again")
    assert tuning["TrainingJobStatusCounters"]["Completed"] == TRIALS, tunings.training_jobs(name)
    listed = [job["TrainingJobName"] for job in tunings.training_jobs(name)]
    assert [job.split("-")[1] for job in listed] == [f"{number:03}" for number in range(1, TRIALS + 1)]
    pages = tunings.api.get_paginator("list_training_jobs").paginate(NameContains=f"{name}-")
    assert sorted(job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]) == listed
    assert [tunings.jobs.said(job).splitlines().count("begun") for job in listed] == [1] * TRIALS


def _kill(clary: RunningClary, names: tuple[str, ...]) -> None:
    for name in names:
        with suppress(LookupError):  # one that was killed a moment ago may not be back
            clary.kill(name)
    if "supervisor" in names:
        clary.up()


def _ended(tunings: Tunings, name: str) -> dict[str, object] | None:
    with suppress(BotoCoreError, ClientError):
        tuning: dict[str, object] = tunings.describe(name)
        return tuning if tuning["HyperParameterTuningJobStatus"] != "InProgress" else None
    return None
