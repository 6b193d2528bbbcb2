"""Control is killed in the middle of each change of an inference component: the change ends as if nothing had been."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.running import RunningClary, wait_until
from tests.system.endpoints import model, serving
from tests.system.jobs import JOB_SECONDS, Jobs
from tests.system.test_inference_components import create, hosting, says, settled

ROUNDS = 5


@pytest.fixture
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    with RunningClary(tmp_path_factory.mktemp("clary")) as running:
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
def test_each_change_is_carried_out(jobs: Jobs) -> None:
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


def answers(jobs: Jobs) -> bool:
    try:
        jobs.sagemaker.list_endpoints()
    except (BotoCoreError, ClientError):
        return False
    return True
