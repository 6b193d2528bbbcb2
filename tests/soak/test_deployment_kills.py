"""Update after update by every policy, under load, while control is killed at any moment: no request fails.

For `make soak`: some twenty updates, and about as many kills.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.running import RunningClary, wait_until
from tests.system.endpoints import at_rest, configure, deploy, load, model, variant
from tests.system.jobs import Jobs

ROUNDS = 3
SEED = 7
ALL_SECONDS = 1200
LONGEST = 2.0
"""Seconds until a kill: within the stages of a policy, which last one each."""

ONE = {"Type": "INSTANCE_COUNT", "Value": 1}


def blue_green(kind: str, termination: int, **size: Any) -> dict[str, Any]:
    routing = {"Type": kind, "WaitIntervalInSeconds": 1, **size}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": termination}}


POLICIES: list[dict[str, Any]] = [
    {},
    blue_green("ALL_AT_ONCE", 1),
    blue_green("CANARY", 1, CanarySize={"Type": "CAPACITY_PERCENT", "Value": 10}),
    blue_green("LINEAR", 0, LinearStepSize={"Type": "CAPACITY_PERCENT", "Value": 40}),
    {"RollingUpdatePolicy": {"MaximumBatchSize": ONE, "WaitIntervalInSeconds": 1}},
    {"RollingUpdatePolicy": {"MaximumBatchSize": ONE, "WaitIntervalInSeconds": 0}},
]


@pytest.fixture
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    with RunningClary(tmp_path_factory.mktemp("clary")) as running:
        yield Jobs(running)


def answers_again(jobs: Jobs) -> bool:
    try:
        jobs.sagemaker.list_endpoints()
    except ClientError:
        return False
    return True


def kill_control(jobs: Jobs, chance: random.Random) -> None:
    for _ in range(chance.choice([0, 1, 1, 2])):
        time.sleep(chance.random() * LONGEST)  # at any moment, which no condition could name
        jobs.clary.kill("control")
        wait_until(lambda: answers_again(jobs), 60, "control is back")


@pytest.mark.timeout(ALL_SECONDS)
def test_no_request_fails_while_control_is_killed_in_every_stage(jobs: Jobs) -> None:
    name = deploy(jobs, "soaked", variant("v", model(jobs, "soaked-1"), 2))
    configs = [configure(jobs, "soaked-second", variant("v", model(jobs, "soaked-2"), 2)), name]
    chance = random.Random(SEED)
    with load(jobs, name) as (answers, failures):
        for number, policy in enumerate(POLICIES * ROUNDS):
            config = configs[number % 2]
            given = {"DeploymentConfig": policy} if policy else {}
            jobs.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config, **given)
            kill_control(jobs, chance)
            described = at_rest(jobs, name)
            assert (described["EndpointConfigName"], described.get("FailureReason")) == (config, None)
    assert failures == []
    assert len(answers) == 2
