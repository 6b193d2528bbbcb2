"""An endpoint is updated, scaled, deleted, made again, and its processes are killed, at random and under load: every
answer comes from a model that was live while it was asked for, and no request fails that need not.

For `make soak`; ten minutes, or as many as CLARY_SOAK_MINUTES says. Hypothesis chooses the steps and prints those that
led to a failure; they are not made shorter, since what happens depends on the moment too.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.running import RunningClary, wait_until
from tests.soak.witness import Witness, asking
from tests.system.endpoints import at_rest, configure, counted, kill_one, model, serving, variant
from tests.system.jobs import JOB_SECONDS, Jobs

MINUTES = float(os.environ.get("CLARY_SOAK_MINUTES", "10"))
STEPS = 25
"""Of one endpoint's life."""

NAME = "machine"
MODELS = ("machine-red", "machine-green", "machine-blue")
COUNTS = st.integers(1, 3)

GONE = f"Endpoint {NAME} of account 000000000000 not found."
AWAY = (
    "No replica",
    "EndpointConnectionError",
    "ConnectionClosedError",
    "ConnectionError",
    "ReadTimeout",
    "InternalFailure",
)
"""Where the only replica, or the edge, is killed: nobody is there, or breaks off."""

ONE = {"Type": "INSTANCE_COUNT", "Value": 1}
POLICIES: dict[str, dict[str, Any]] = {
    "as AWS does by default": {},
    "canary": {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": "CANARY", "WaitIntervalInSeconds": 1, "CanarySize": ONE},
            "TerminationWaitInSeconds": 1,
        }
    },
    "rolling": {"RollingUpdatePolicy": {"MaximumBatchSize": ONE, "WaitIntervalInSeconds": 0}},
}


class EndpointMachine(RuleBasedStateMachine):
    """One endpoint's life. `live` is the model that answers when nothing is under way."""

    jobs: Jobs

    @initialize(model=st.sampled_from(MODELS), count=COUNTS)
    def create(self, model: str, count: int) -> None:
        self.witness = Witness()
        self.witness.allow((), GONE)
        self.load = asking(self.jobs, NAME, self.witness)
        self.load.__enter__()
        self._deploy(model, count)

    @rule(model=st.sampled_from(MODELS), count=COUNTS, policy=st.sampled_from(sorted(POLICIES)))
    def update(self, model: str, count: int, policy: str) -> None:
        self.witness.allow({self.live, model})
        given = {"DeploymentConfig": POLICIES[policy]} if POLICIES[policy] else {}
        if policy == "canary" and min(count, self.count) < 2:
            given = {}  # one of one instance is no canary
        config = self._config(model, count)
        self.jobs.sagemaker.update_endpoint(EndpointName=NAME, EndpointConfigName=config, **given)
        self._rested(config)
        self._lives(model, count)

    @rule(count=COUNTS)
    def scale(self, count: int) -> None:
        wanted = [{"VariantName": "v", "DesiredInstanceCount": count}]
        self.jobs.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=NAME, DesiredWeightsAndCapacities=wanted
        )
        self._rested()
        self._lives(self.live, count)

    @rule(model=st.sampled_from(MODELS), count=COUNTS)
    def delete_and_make_again(self, model: str, count: int) -> None:
        self.witness.allow({self.live}, GONE)
        self.jobs.sagemaker.delete_endpoint(EndpointName=NAME)
        self.witness.allow((), GONE)
        self._deploy(model, count)

    @precondition(lambda self: self.count > 1)
    @rule()
    def kill_one_of_several_replicas(self) -> None:
        kill_one(self.jobs, NAME, self.live)

    @precondition(lambda self: self.count == 1)
    @rule()
    def kill_the_only_replica(self) -> None:
        self.witness.allow({self.live}, *AWAY)
        kill_one(self.jobs, NAME, self.live)
        self._answers_again()

    @rule()
    def kill_control(self) -> None:
        self.jobs.clary.kill("control")
        wait_until(self._described, JOB_SECONDS, "control is back")

    @rule(model=st.sampled_from(MODELS))
    def kill_control_within_an_update(self, model: str) -> None:
        self.witness.allow({self.live, model})
        config = self._config(model, self.count)
        self.jobs.sagemaker.update_endpoint(EndpointName=NAME, EndpointConfigName=config)
        self.jobs.clary.kill("control")
        wait_until(self._described, JOB_SECONDS, "control is back")
        self._rested(config)
        self._lives(model, self.count)

    @rule()
    def kill_the_edge(self) -> None:
        self.witness.allow({self.live}, *AWAY)
        self.jobs.clary.kill("edge")
        self._answers_again()

    @invariant()
    def every_answer_is_right(self) -> None:
        if hasattr(self, "witness"):
            assert self.witness.wrong() == []

    def teardown(self) -> None:
        if hasattr(self, "load"):
            self.load.__exit__(None, None, None)
            self.every_answer_is_right()
            self.jobs.sagemaker.delete_endpoint(EndpointName=NAME)
            wait_until(lambda: not serving(self.jobs, self.live), JOB_SECONDS, "its containers are gone")

    def _config(self, model: str, count: int) -> str:
        return f"{model}-{count}"

    def _deploy(self, model: str, count: int) -> None:
        self.witness.allow({model}, GONE)
        self.jobs.sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=self._config(model, count))
        self._rested(self._config(model, count))
        self._lives(model, count)

    def _lives(self, model: str, count: int) -> None:
        """Nothing is under way any more."""
        self.live, self.count = model, count
        assert counted(self.jobs, NAME) == count
        self.witness.allow({model})

    def _rested(self, config: str = "") -> None:
        described = at_rest(self.jobs, NAME)
        assert (described["EndpointStatus"], described.get("FailureReason")) == ("InService", None)
        assert not config or described["EndpointConfigName"] == config

    def _answers_again(self) -> None:
        """All clients have been answered since: connections that were cut off are told of once."""
        began = time.monotonic()
        wait_until(self._described, JOB_SECONDS, "the endpoint is described")
        wait_until(lambda: self._answered_since(began), JOB_SECONDS, "it answers")
        self.witness.allow({self.live}, *AWAY)
        time.sleep(1)  # requests that were under way end by then, and are held against what held at their time
        self.witness.allow({self.live})

    def _answered_since(self, began: float) -> bool:
        last = self.witness.last
        return last is not None and not last.failure and last.asked > began

    def _described(self) -> bool:
        try:
            self.jobs.sagemaker.describe_endpoint(EndpointName=NAME)
        except ClientError:
            return False
        return True


@pytest.fixture
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    with RunningClary(tmp_path_factory.mktemp("clary")) as running:
        yield Jobs(running)


@pytest.mark.timeout(MINUTES * 60 + 900)
def test_every_answer_comes_from_a_model_that_was_live(jobs: Jobs) -> None:
    for name in MODELS:
        model(jobs, name)
        for count in (1, 2, 3):
            configure(jobs, f"{name}-{count}", variant("v", name, count))
    EndpointMachine.jobs = jobs
    end = time.monotonic() + MINUTES * 60
    lives = settings(
        max_examples=1,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    while time.monotonic() < end:
        run_state_machine_as_test(EndpointMachine, settings=lives)
