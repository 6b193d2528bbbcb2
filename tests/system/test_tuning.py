"""Tunings on a started Clary: killed in the middle, failing, stopped, stopping their jobs early."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.running import RunningClary, wait_until
from tests.system.jobs import Jobs
from tests.system.tunings import PRINTS, Tunings

pytestmark = [pytest.mark.system]

ALL = ("supervisor", "edge", "control", "launcher")

WAITS = """\
import os, time
print("begun", flush=True)
while not os.path.exists("/opt/ml/input/go"):
    time.sleep(0.02)
print("loss=1.5", flush=True)
"""

EPOCHS = 100
LEARNS = """\
import argparse, signal, sys, time
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
rate = parser.parse_args().rate
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
for epoch in range(EPOCHS):
    print("loss=%f" % (rate + 1 / (epoch + 1)), flush=True)
    time.sleep(0.2 if rate > 0.8 else 0.005)
""".replace("EPOCHS", str(EPOCHS))
"""The worst ones take 20 seconds, and each of their epochs is worse than those of the others."""


@pytest.fixture(scope="module")
def tunings(shared: RunningClary) -> Tunings:
    return Tunings(Jobs(shared))


def let_go(tunings: Tunings) -> int:
    """Let the programs end that run now; how many there were."""
    folders = list((tunings.jobs.clary.data_dir / "run" / "containers").glob("*/bundle/input"))
    for folder in folders:
        with suppress(FileNotFoundError):  # it has just ended
            (folder / "go").touch()
    return len(folders)


def completed(tunings: Tunings, name: str) -> int:
    """-1 as long as nobody answers."""
    try:
        found = tunings.api.list_hyper_parameter_tuning_jobs(NameContains=name)["HyperParameterTuningJobSummaries"]
    except (BotoCoreError, ClientError):
        return -1
    count: int = found[0]["TrainingJobStatusCounters"]["Completed"]
    return count


def test_killed_again_and_again_it_loses_no_trial_and_runs_none_twice(tunings: Tunings) -> None:
    name, count = "killed", 8
    tunings.start(name, tunings.definition(WAITS), jobs=count)
    for killed in (("control",), ("control",), ALL, ("control",)):
        wait_until(lambda: let_go(tunings), 60, "some job runs")
        before = completed(tunings, name)
        tunings.jobs.clary.kill(*killed)
        if killed == ALL:
            tunings.jobs.clary.up()
        wait_until(lambda before=before: going_on(tunings, name) > max(0, before), 60, "one more has ended")  # type: ignore[misc]

    wait_until(lambda: going_on(tunings, name) == count, 60, "all have ended")
    tuning = tunings.ended(name)
    assert tuning["HyperParameterTuningJobStatus"] == "Completed"
    assert tuning["TrainingJobStatusCounters"]["Completed"] == tuning["ObjectiveStatusCounters"]["Succeeded"] == count
    once(tunings, name, count)


def going_on(tunings: Tunings, name: str) -> int:
    """How many have completed, once more of them may."""
    let_go(tunings)
    return completed(tunings, name)


def once(tunings: Tunings, name: str, count: int) -> None:
    """Each trial has one training job, each training job ran once, and no other was made."""
    listed = [job["TrainingJobName"] for job in tunings.training_jobs(name)]
    assert [re.fullmatch(rf"{name}-([0-9]{{3}})-[0-9a-f]{{8}}", job)[1] for job in listed] == [  # type: ignore[index]
        f"{number:03}" for number in range(1, count + 1)
    ]
    made = tunings.api.list_training_jobs(NameContains=f"{name}-", MaxResults=100)["TrainingJobSummaries"]
    assert sorted(job["TrainingJobName"] for job in made) == listed
    assert [tunings.jobs.said(job).splitlines().count("begun") for job in listed] == [1] * count


def test_one_failed_job_does_not_fail_the_tuning(tunings: Tunings) -> None:
    ranges = {"CategoricalParameterRanges": [{"Name": "wrong", "Values": ["no", "no such column"]}]}
    definition = tunings.definition(StaticHyperParameters={"rate": "0.5"})
    name = tunings.start("some-fail", definition, jobs=2, ParameterRanges=ranges, Strategy="Grid")
    tuning = tunings.ended(name)
    assert tuning["HyperParameterTuningJobStatus"] == "Completed", tunings.training_jobs(name)
    assert tuning["TrainingJobStatusCounters"] == {
        **dict.fromkeys(("InProgress", "RetryableError", "Stopped"), 0),
        "Completed": 1,
        "NonRetryableError": 1,
    }
    assert tuning["ObjectiveStatusCounters"] == {"Succeeded": 1, "Pending": 0, "Failed": 1}
    [failed] = tunings.training_jobs(name, StatusEquals="Failed")
    assert "no such column" in failed["FailureReason"]
    assert failed["ObjectiveStatus"] == "Failed"
    [best] = tunings.training_jobs(name, SortBy="FinalObjectiveMetricValue")
    assert best["TrainingJobName"] == tuning["BestTrainingJob"]["TrainingJobName"]


def test_when_no_job_succeeds_the_tuning_has_failed(tunings: Tunings) -> None:
    """AWS gives up after five."""
    definition = tunings.definition(StaticHyperParameters={"wrong": "boom"})
    tuning = tunings.ended(tunings.start("all-fail", definition, jobs=9, parallel=1))
    assert tuning["HyperParameterTuningJobStatus"] == "Failed"
    assert tuning["FailureReason"] == (
        "No training job succeeded after 5 attempts. For additional details, please take a look at the training job "
        "failures by listing training jobs for the hyperparameter tuning job."
    )
    assert "BestTrainingJob" not in tuning
    assert tuning["TrainingJobStatusCounters"]["NonRetryableError"] == 5


def test_a_metric_that_never_appears_is_the_tunings_failure(tunings: Tunings) -> None:
    """AWS's words as users have quoted them; no public source at hand shows them."""
    definition = tunings.definition(PRINTS.replace("loss=", "cost="))
    tuning = tunings.ended(tunings.start("no-metric", definition, jobs=3))
    assert tuning["HyperParameterTuningJobStatus"] == "Failed"
    assert tuning["FailureReason"].startswith("No objective metrics found after running 3 training jobs.")
    assert tuning["ObjectiveStatusCounters"] == {"Succeeded": 0, "Pending": 0, "Failed": 3}
    assert {job["ObjectiveStatus"] for job in tunings.training_jobs("no-metric")} == {"Failed"}


def test_a_stop_stops_the_jobs_and_keeps_what_was_found(tunings: Tunings) -> None:
    name = tunings.start("stopped", tunings.definition(WAITS), jobs=50)
    wait_until(lambda: let_go(tunings), 60, "some job runs")
    wait_until(lambda: completed(tunings, name) > 0, 60, "one has ended")
    tunings.api.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    tuning = tunings.ended(name)
    counters = tuning["TrainingJobStatusCounters"]
    assert tuning["HyperParameterTuningJobStatus"] == "Stopped"
    assert counters["InProgress"] == 0 < counters["Stopped"]
    assert tuning["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 1.5
    with pytest.raises(ClientError, match=r"The request was rejected because .* is in status Stopped"):
        tunings.api.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


def test_jobs_that_learn_worse_are_stopped_early_by_what_they_report(tunings: Tunings) -> None:
    """With this seed the first five are good, which those that follow are compared with; one of them is not."""
    definition = tunings.definition(LEARNS)
    name = tunings.start("early", definition, jobs=9, TrainingJobEarlyStoppingType="Auto", RandomSeed=28)
    stopped_early(tunings, name, 0.8)


def test_hyperband_stops_what_is_not_promising(tunings: Tunings) -> None:
    resources = {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 4}}
    definition = tunings.definition(LEARNS.replace("0.2 if rate > 0.8 else 0.005", "0.1"))  # none is over unheard
    name = tunings.start("hyperband", definition, jobs=6, Strategy="Hyperband", StrategyConfig=resources)
    stopped_early(tunings, name)


def stopped_early(tunings: Tunings, name: str, quick: float = 0.0) -> None:
    """Before the last of their epochs, and as AWS shows it. Those below the rate `quick` take half a second: one may
    say its last just when it is told to stop."""
    tuning = tunings.ended(name)
    assert tuning["HyperParameterTuningJobStatus"] == "Completed"
    stopped = tunings.training_jobs(name, StatusEquals="Stopped")
    assert stopped, tunings.training_jobs(name)
    assert {job["ObjectiveStatus"] for job in stopped} == {"Succeeded"}
    assert tuning["TrainingJobStatusCounters"]["Stopped"] == len(stopped)
    slow = [job for job in stopped if float(job["TunedHyperParameters"]["rate"]) > quick]
    assert max(tunings.jobs.said(job["TrainingJobName"]).count("loss=") for job in slow) < EPOCHS


def test_a_tuning_that_is_deleted_leaves_its_jobs(tunings: Tunings) -> None:
    name = tunings.start("deleted", tunings.definition(), jobs=1)
    [job] = [
        each["TrainingJobName"] for each in tunings.training_jobs(tunings.ended(name)["HyperParameterTuningJobName"])
    ]
    tunings.api.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)

    def gone() -> bool:
        try:
            return bool(tunings.describe(name)["HyperParameterTuningJobStatus"] != "Deleting")
        except ClientError as error:
            return error.response["Error"]["Code"] == "ResourceNotFound"

    wait_until(gone, 60, f"{name} is gone")
    assert tunings.jobs.describe(job)["TrainingJobStatus"] == "Completed"
    tunings.ended(tunings.start(name, tunings.definition(), jobs=1))
