"""An edge that is slow to hear of a change: replicas stay until it has heard, and no request fails."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from clary.serving.routes import FILE
from tests.running import RunningClary, wait_until
from tests.system.endpoints import at_rest, configure, counted, deploy, load, model, more, variant
from tests.system.jobs import JOB_SECONDS, Jobs

pytestmark = [pytest.mark.system]

PAUSE = 0.15
"""Seconds that a hesitating edge stands still, and then goes on."""

BAKE = 2
"""Seconds from the route of the new replicas to the end of the old ones: long enough to stop an edge in."""

LOOK = 1.0
"""Seconds in which control looks many times whether the edge has heard."""

ALL_AT_ONCE = {
    "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": BAKE},
    }
}
ROLLING = {
    "RollingUpdatePolicy": {"MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1}, "WaitIntervalInSeconds": 0}
}


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Iterator[Jobs]:
    yield Jobs(shared)


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """The process stands still: it holds what it has, and hears nothing."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def hesitating(pid: int) -> Iterator[None]:
    """The process stands still again and again."""
    over = threading.Event()

    def hesitate() -> None:
        while not over.wait(PAUSE):
            with stopped(pid):
                over.wait(PAUSE)

    thread = threading.Thread(target=hesitate)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def routed(jobs: Jobs) -> str:
    """All routes, as edges read them."""
    return (jobs.clary.data_dir / "run" / FILE).read_text()


def containers(jobs: Jobs, model_name: str) -> set[str]:
    """Ids of those that serve this model."""
    found = set()
    for folder in (jobs.clary.data_dir / "run" / "containers").glob("*"):
        with suppress(OSError):  # it is just being removed
            if any(model_name in path.read_text() for path in folder.rglob("inference.py")):
                found.add(folder.name)
    return found


def running(jobs: Jobs, ids: set[str]) -> set[str]:
    """Those of these containers that have not ended."""
    folders = {each: jobs.clary.data_dir / "run" / "containers" / each for each in ids}
    return {each for each, folder in folders.items() if folder.exists() and not (folder / "exit.json").exists()}


def scale(jobs: Jobs, name: str, **counts: int) -> None:
    wanted = [{"VariantName": each, "DesiredInstanceCount": count} for each, count in counts.items()]
    jobs.sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=wanted)


def test_old_replicas_stay_until_the_edge_has_heard_of_the_new_ones(jobs: Jobs) -> None:
    name = deploy(jobs, "deaf", variant("v", model(jobs, "deaf-old"), 2))
    second = configure(jobs, "deaf-second", variant("v", model(jobs, "deaf-new"), 2))
    old, edge = containers(jobs, "deaf-old"), jobs.clary.process("edge")
    assert len(old) == 2
    assert all(each in routed(jobs) for each in old)
    with load(jobs, name) as (answers, failures):
        jobs.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=second, DeploymentConfig=ALL_AT_ONCE)
        with stopped(edge):
            wait_until(lambda: not any(each in routed(jobs) for each in old), JOB_SECONDS, "the route is published")
            threading.Event().wait(BAKE + LOOK)
            assert running(jobs, old) == old, "the edge may have requests for them in its hands"
        at_rest(jobs, name)
        wait_until(more(answers, "deaf-new"), JOB_SECONDS, "the new ones answer")
        wait_until(lambda: not containers(jobs, "deaf-old"), JOB_SECONDS, "the old ones end")
    assert failures == []


def test_no_change_fails_a_request_of_an_edge_that_hesitates(jobs: Jobs) -> None:
    first, other = variant("v", model(jobs, "slow-1"), 2), variant("w", model(jobs, "slow-2"))
    name = deploy(jobs, "slow", first)
    second = configure(jobs, "slow-second", variant("v", model(jobs, "slow-3"), 2))
    both = configure(jobs, "slow-both", first, other)
    with load(jobs, name) as (answers, failures), hesitating(jobs.clary.process("edge")):
        for config, policy, answer in ((second, ROLLING, "slow-3"), (both, {}, "slow-2"), (name, {}, "slow-1")):
            given: dict[str, Any] = {"DeploymentConfig": policy} if policy else {}
            jobs.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config, **given)
            at_rest(jobs, name)
            wait_until(more(answers, answer), JOB_SECONDS, f"{answer} answers after the change to {config}")
        for count in (1, 2, 1):
            scale(jobs, name, v=count)
            at_rest(jobs, name)
            assert counted(jobs, name) == count
    assert failures == []
