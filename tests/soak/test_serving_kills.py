"""Processes of Clary are killed while models are compiled, served without instances, and changed as components."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.running import RunningClary, wait_until
from tests.system.endpoints import model, serving
from tests.system.jobs import JOB_SECONDS, Jobs
from tests.system.test_compilation import PICKLE, Compilations
from tests.system.test_inference_components import create, hosting, says, settled
from tests.system.test_serverless import deploy, nothing_runs
from tests.system.test_serverless import says as replica

ROUNDS = 5


@pytest.fixture
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    with RunningClary(tmp_path_factory.mktemp("clary"), "--serverless-idle", "1") as running:
        yield Jobs(running)


def gone(jobs: Jobs, endpoint: str, name: str) -> bool:
    """Also while control or an edge is being started."""
    try:
        says(jobs, endpoint, name)
    except ClientError as error:
        return "not found" in str(error)
    except BotoCoreError:
        return False
    return False


@pytest.mark.timeout(1200)
def test_each_change_of_a_component_is_carried_out(jobs: Jobs) -> None:
    endpoint = hosting(jobs, "survivor")
    first, second = model(jobs, "first"), model(jobs, "second")
    for number in range(ROUNDS):
        name = f"killed-{number}"
        create(jobs, name, endpoint, {"ModelName": first})
        jobs.clary.kill("control")
        settled(jobs, name)
        jobs.sagemaker.update_inference_component(InferenceComponentName=name, Specification={"ModelName": second})
        jobs.clary.kill("control")
        settled(jobs, name)
        assert says(jobs, endpoint, name) == "second"
        jobs.sagemaker.delete_inference_component(InferenceComponentName=name)
        jobs.clary.kill("control")
        wait_until(lambda name=name: gone(jobs, endpoint, name), JOB_SECONDS, f"{name} is not there")  # type: ignore[misc]
        wait_until(lambda: not serving(jobs, "second"), JOB_SECONDS, "and its copies have ended")
        wait_until(lambda: answers(jobs), JOB_SECONDS, "control is back")


def test_a_compilation_job_goes_on_without_control(jobs: Jobs) -> None:
    compilations = Compilations(jobs.clary)
    script = (
        "import time\nfrom sklearn.linear_model import LogisticRegression as L\n"
        "def model_fn(folder):\n    time.sleep(3)\n"
        "    return L().fit([[0, 1], [1, 0], [1, 1]], [0, 1, 1])\n"
    )
    for number in range(ROUNDS):
        name = f"killed-{number}"
        compilations.begin(name, compilations.put(name, {"code/train.py": script}), PICKLE)
        wait_until(lambda name=name: "Compiling a model" in compilations.log(name), JOB_SECONDS, "its program runs")  # type: ignore[misc]
        jobs.clary.kill("control")
        wait_until(lambda: answers(jobs), JOB_SECONDS, "control is back")
        job = compilations.over(name)
        assert job["CompilationJobStatus"] == "COMPLETED", job["FailureReason"]


def test_serverless_replicas_are_found_again_and_let_go(jobs: Jobs) -> None:
    name = deploy(jobs, "killed")
    for _ in range(ROUNDS):
        first = replica(jobs, name)
        jobs.clary.kill("supervisor", "control", "edge")
        jobs.clary.up()
        nothing_runs(jobs, name)
        assert replica(jobs, name) != first


def answers(jobs: Jobs) -> bool:
    try:
        jobs.sagemaker.list_endpoints()
    except (BotoCoreError, ClientError):
        return False
    return True
