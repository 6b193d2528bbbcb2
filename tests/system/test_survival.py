"""`kill -9` of Clary's processes, together and one by one, while a job trains and an endpoint serves."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.running import RunningClary, wait_until
from tests.system.jobs import BUCKET, Jobs

pytestmark = [pytest.mark.system]

COUNTS = """\
import os, time
for i in range(40):
    print("line", i, flush=True)
    time.sleep(0.1)
open(os.path.join(os.environ["SM_MODEL_DIR"], "model"), "w").write("done")
"""
ALL = ("supervisor", "edge", "control", "launcher")


@pytest.fixture
def jobs(clary: RunningClary) -> Jobs:
    return Jobs(clary)


def answers(jobs: Jobs, name: str) -> bool:
    """Whether the endpoint answers now; refused connections and 503 are what a client would try again."""
    try:
        return bool(json.loads(jobs.ask(name, "[[3, 4]]")) == [[3, 4]])
    except (BotoCoreError, ClientError):
        return False


def test_kill_9_of_everything_loses_no_job_no_endpoint_and_nothing_acknowledged(jobs: Jobs) -> None:
    jobs.deploy("survives")
    jobs.start("survives", COUNTS)
    jobs.reached("survives", "Training")
    jobs.s3.put_object(Bucket=BUCKET, Key="acknowledged", Body=b"kept")

    jobs.clary.kill(*ALL)
    jobs.clary.up()

    assert jobs.s3.get_object(Bucket=BUCKET, Key="acknowledged")["Body"].read() == b"kept"
    wait_until(lambda: answers(jobs, "survives"), 60, "the endpoint answers again")
    job = jobs.ended("survives")
    assert job["TrainingJobStatus"] == "Completed", job
    said = jobs.said("survives").splitlines()
    assert [line for line in said if line.startswith("line ")] == [f"line {i}" for i in range(40)]


@pytest.mark.parametrize("name", ALL)
def test_kill_9_of_one_process_alone(jobs: Jobs, name: str) -> None:
    jobs.deploy("survives")
    jobs.start("survives", COUNTS)
    jobs.reached("survives", "Training")

    jobs.clary.kill(name)
    if name == "supervisor":
        wait_until(lambda: started(jobs.clary), 60, "up")

    wait_until(lambda: answers(jobs, "survives"), 60, "the endpoint answers")
    wait_until(lambda: ready(jobs), 60, "every operation is answered")
    assert jobs.ended("survives")["TrainingJobStatus"] == "Completed"
    assert jobs.ended(jobs.start("afterwards", "print('hello')"))["TrainingJobStatus"] == "Completed"


def started(clary: RunningClary) -> bool:
    """Whether it is up; it is refused as long as the old processes end."""
    try:
        clary.up()
    except RuntimeError:
        return False
    return True


def ready(jobs: Jobs) -> bool:
    try:
        return bool(jobs.sagemaker.list_training_jobs()["TrainingJobSummaries"])
    except (BotoCoreError, ClientError):
        return False


def test_a_killed_replica_is_replaced(jobs: Jobs) -> None:
    jobs.deploy("replaced", inference=PID)
    before = jobs.ask("replaced")
    with pytest.raises(ClientError) as failed:
        jobs.ask("replaced", "[[666]]")
    assert failed.value.response["Error"]["Code"] == "ModelError"
    wait_until(lambda: answered(jobs, "replaced") not in ("", before), 60, "another replica answers")


PID = """\
import os, time
BORN = time.time()

def model_fn(model_dir):
    return model_dir

def predict_fn(data, model):
    if data[0][0] == 666:
        os.killpg(0, 9)
    return [BORN]
"""


def answered(jobs: Jobs, name: str) -> str:
    try:
        return jobs.ask(name)
    except (BotoCoreError, ClientError):
        return ""
