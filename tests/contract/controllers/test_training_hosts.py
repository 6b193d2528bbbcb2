"""Training on several hosts, waiting for a place, interrupted, tried again: real containers, each by its fault."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from clary.compute.base import Exited
from clary.settings import Capacity
from clary.store.rows import Key, Row

from .conftest import ROLE, World

GROUP = "/aws/sagemaker/TrainingJobs"
TWO = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
READY = "echo ready; while [ ! -e /opt/ml/input/go ]; do sleep 0.01; done; "
ENDED = ("Completed", "Failed", "Stopped", "MaxRuntimeExceeded", "MaxWaitTimeExceeded")

Submit = Callable[..., Key]


def spec(script: str, **more: Any) -> dict[str, Any]:
    return {
        "AlgorithmSpecification": {
            "TrainingImage": "test",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/sh", "-c", script],
        },
        "RoleArn": ROLE,
        "HyperParameters": {},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out", "KmsKeyId": ""},
        "ResourceConfig": {**TWO, "InstanceCount": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        **more,
    }


@pytest.fixture
def submit(world: World) -> Submit:
    def insert(script: str, name: str = "job", **more: Any) -> Key:
        return world.insert("training-job", name, "Starting", "Completed", spec(script, **more))

    return insert


def run(world: World, key: Key) -> Row:
    return world.until_status(key, *ENDED)


def statuses(row: Row) -> list[str]:
    return [entry["Status"] for entry in row.state["transitions"]]


def said(world: World, row: Row, host: int = 0) -> list[str]:
    lines: list[str] = world.log(GROUP, row.state["log_streams"][host])
    return [line for line in lines if line != "nearest version is used"]


def all_ready(world: World, key: Key) -> Row:
    """Every host's program runs."""
    world.until_status(key, "Training")
    hosts = len(world.row(key).state["containers"])
    world.until(lambda: all("ready" in said(world, world.row(key), host) for host in range(hosts)))
    return world.row(key)


def go(world: World, row: Row, *hosts: int) -> None:
    """Let the programs of these hosts end."""
    for host in hosts:
        container = row.state["containers"][host]
        (world.settings.containers_dir / container / "bundle" / "input" / "go").touch()


def test_each_host_knows_who_it_is_and_writes_its_own_stream(world: World, submit: Submit) -> None:
    script = "cat /opt/ml/input/config/resourceconfig.json; echo; hostname; getent hosts algo-1 algo-2 | wc -l"
    row = run(world, submit(script, ResourceConfig=TWO))
    assert row.status == "Completed", row.state
    assert [stream.rsplit("-", 1)[0] for stream in row.state["log_streams"]] == ["job/algo-1", "job/algo-2"]
    for host, name in enumerate(("algo-1", "algo-2")):
        config, hostname, found = said(world, row, host)
        assert hostname == name
        assert found.strip() == "2"
        told = json.loads(config)
        assert (told["current_host"], told["hosts"]) == (name, ["algo-1", "algo-2"])
        assert told["network_interface_name"] == "eth0"


def test_hosts_of_groups_know_theirs(world: World, submit: Submit) -> None:
    groups = [
        {"InstanceGroupName": "small", "InstanceType": "ml.t3.medium", "InstanceCount": 1},
        {"InstanceGroupName": "large", "InstanceType": "ml.m5.large", "InstanceCount": 1},
    ]
    row = run(world, submit("cat /opt/ml/input/config/resourceconfig.json", ResourceConfig={"InstanceGroups": groups}))
    told = [json.loads(said(world, row, host)[0]) for host in range(2)]
    assert [each["current_group_name"] for each in told] == ["small", "large"]
    assert [each["current_instance_type"] for each in told] == ["ml.t3.medium", "ml.m5.large"]
    assert told[0]["instance_groups"] == told[1]["instance_groups"]
    assert [(group["instance_group_name"], group["hosts"]) for group in told[0]["instance_groups"]] == [
        ("small", ["algo-1"]),
        ("large", ["algo-2"]),
    ]


def test_a_job_is_through_when_all_its_hosts_are(world: World, submit: Submit) -> None:
    key = submit(READY + "echo x > /opt/ml/model/$CURRENT_HOST", ResourceConfig=TWO)
    row = all_ready(world, key)
    go(world, row, 0)
    world.until(lambda: isinstance(world.backend.poll(row.state["containers"][0]), Exited))
    assert world.row(key).status == "Training"
    go(world, row, 1)
    assert run(world, key).status == "Completed"


def test_one_host_that_fails_ends_the_others_and_is_named(world: World, submit: Submit) -> None:
    script = 'echo ready; if [ $CURRENT_HOST = algo-2 ]; then echo "no luck" >&2; exit 3; fi; exec sleep 600'
    row = run(world, submit(script, ResourceConfig=TWO))
    assert row.status == "Failed"
    assert "algo-2" in row.state["failure_reason"]
    assert "no luck" in row.state["failure_reason"]


def test_stop_asks_every_host(world: World, submit: Submit) -> None:
    script = "trap 'echo saved; exit 0' TERM; echo ready; while :; do sleep 0.01; done"
    key = submit(script, ResourceConfig=TWO)
    all_ready(world, key)
    world.change(key, target="Stopped")
    row = run(world, key)
    assert row.status == "Stopped"
    assert [said(world, row, host) for host in range(2)] == [["ready", "saved"]] * 2


def test_time_is_up_for_every_host(world: World, submit: Submit) -> None:
    row = run(world, submit("exec sleep 600", ResourceConfig=TWO, StoppingCondition={"MaxRuntimeInSeconds": 1}))
    assert row.status == "MaxRuntimeExceeded"


def test_control_killed_while_two_hosts_train(world: World, submit: Submit) -> None:
    key = submit(READY, ResourceConfig=TWO)
    row = all_ready(world, key)
    world.close()
    go(world, row, 0, 1)
    world.open()
    after = run(world, key)
    assert after.status == "Completed"
    assert [said(world, after, host) for host in range(2)] == [["ready"]] * 2
    assert after.state["containers"] == row.state["containers"]


def test_control_killed_between_the_starts_of_two_hosts(world: World, submit: Submit) -> None:
    """The second host's container was not there yet: it is started then, the first one is not started again."""
    starts: list[str] = []
    start = world.backend.start

    def first_only(container: str, what: Any) -> None:
        if not starts:
            starts.append(container)
            start(container, what)

    world.backend.start = first_only  # type: ignore[method-assign]  # as if it had died there
    key = submit(READY, ResourceConfig=TWO)
    row = world.until_status(key, "Training")
    world.until(lambda: "ready" in said(world, row))
    world.close()
    world.open()
    all_ready(world, key)
    go(world, row, 0, 1)
    after = run(world, key)
    assert (after.status, [said(world, after, host) for host in range(2)]) == ("Completed", [["ready"]] * 2)


def small(world: World) -> None:
    """A machine with a place for one job."""
    world.close()
    world.settings = replace(world.settings, capacity=Capacity(cores=2, memory_bytes=8 * 2**30, overcommit=1))
    world.open()


def test_jobs_run_in_the_order_of_their_creation(world: World, submit: Submit) -> None:
    small(world)
    keys = [submit(READY, f"job-{number}") for number in range(3)]
    for number, key in enumerate(keys):
        row = all_ready(world, key)
        for waiting in keys[number + 1 :]:
            assert world.row(waiting).status == "Starting"
        world.until(lambda: world.controllers.capacity.queue() == keys[number + 1 :])  # noqa: B023
        go(world, row, 0)
        run(world, key)
    message = world.row(keys[2]).state["transitions"][0]["StatusMessage"]
    assert message == "Insufficient capacity error from EC2 while launching instances, retrying!"


def test_the_queue_is_the_same_after_control_was_killed(world: World, submit: Submit) -> None:
    small(world)
    keys = [submit(READY, f"job-{number}") for number in range(3)]
    row = all_ready(world, keys[0])
    world.until(lambda: world.controllers.capacity.queue() == keys[1:])
    world.close()
    world.open()
    world.until(lambda: world.controllers.capacity.queue() == keys[1:])
    go(world, row, 0)
    all_ready(world, keys[1])
    world.until(lambda: world.controllers.capacity.queue() == keys[2:])


def test_a_job_that_waits_can_be_stopped_and_leaves_the_queue(world: World, submit: Submit) -> None:
    small(world)
    first, second, third = (submit(READY, name) for name in ("first", "second", "third"))
    row = all_ready(world, first)
    world.until(lambda: world.controllers.capacity.queue() == [second, third])
    world.change(second, target="Stopped")
    assert run(world, second).status == "Stopped"
    world.until(lambda: world.controllers.capacity.queue() == [third])
    go(world, row, 0)
    all_ready(world, third)


def test_a_containers_cores_and_memory_are_its_instances(world: World, submit: Submit) -> None:
    row = run(world, submit("nproc", ResourceConfig={**TWO, "InstanceCount": 1, "InstanceType": "ml.t2.medium"}))
    assert said(world, row) == [str(min(2, len(os.sched_getaffinity(0))))]


SPOT = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600},
    "CheckpointConfig": {"S3Uri": "s3://bucket/ckpt"},
}
RESUMES = """
    cd /opt/ml/checkpoints
    if [ -e step ]; then echo resumed from $(cat step); exit 0; fi
    trap 'echo 7 > step; exit 0' TERM
    echo ready; while :; do sleep 0.01; done"""


@pytest.mark.parametrize("resources", [{**TWO, "InstanceCount": 1}, TWO], ids=["one host", "two hosts"])
def test_an_interrupted_job_resumes_from_its_checkpoints(
    world: World, submit: Submit, resources: dict[str, Any]
) -> None:
    key = submit(RESUMES, ResourceConfig=resources, **SPOT)
    before = all_ready(world, key)
    world.change(key, state={"interrupt": before.modified.timestamp()})
    row = run(world, key)
    assert row.status == "Completed", row.state
    assert statuses(row) == [
        *("Starting", "Downloading", "Training", "Interrupted"),
        *("Starting", "Downloading", "Training", "Uploading", "Completed"),
    ]
    assert all("resumed from 7" in said(world, row, host) for host in range(resources["InstanceCount"]))
    assert world.get("s3://bucket/ckpt/step") == b"7\n"
    assert len(row.state["attempts"]) == 1
    assert not set(before.state["containers"]) & set(row.state["containers"])


def test_control_killed_while_a_job_is_being_interrupted(world: World, submit: Submit) -> None:
    slow = RESUMES.replace("echo 7 > step", "sleep 0.5; echo 7 > step")
    key = submit(slow, **SPOT)
    before = all_ready(world, key)
    world.change(key, state={"interrupt": before.modified.timestamp()})
    world.until_status(key, "Interrupted")
    world.close()
    world.open()
    row = run(world, key)
    assert (row.status, "resumed from 7" in said(world, row)) == ("Completed", True)


def lose(world: World, row: Row) -> None:
    """The container ends without a record, as when its shim is killed."""
    folder = world.settings.containers_dir / row.state["containers"][0]
    world.close()
    world.backend.stop(row.state["containers"][0], 0)
    world.until((folder / "exit.json").exists)
    (folder / "exit.json").unlink()
    world.open()


def test_what_the_machine_lost_is_tried_again_as_often_as_allowed(world: World, submit: Submit) -> None:
    key = submit(READY, RetryStrategy={"MaximumRetryAttempts": 1})
    lose(world, all_ready(world, key))
    world.until(lambda: "Restarting" in statuses(world.row(key)))
    lose(world, all_ready(world, key))
    row = run(world, key)
    assert (row.status, row.state["retries"]) == ("Failed", 1)
    assert row.state["failure_reason"].startswith("InternalServerError")


def test_a_programs_own_failure_is_not_tried_again(world: World, submit: Submit) -> None:
    row = run(world, submit("exit 1", RetryStrategy={"MaximumRetryAttempts": 3}))
    assert (row.status, "Restarting" in statuses(row)) == ("Failed", False)


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ({"ContainerEntrypoint": ["/bin/echo", "a b", "$HOME"]}, ["a b $HOME"]),
        ({"ContainerEntrypoint": ["/bin/echo"], "ContainerArguments": ["x", "y"]}, ["x y"]),
    ],
)
def test_an_entrypoint_and_its_arguments_go_through_no_shell(
    world: World, submit: Submit, algorithm: dict[str, Any], expected: list[str]
) -> None:
    row = run(world, submit("", AlgorithmSpecification={"TrainingImage": "test", **algorithm}))
    assert (row.status, said(world, row)) == ("Completed", expected)


def test_arguments_alone_go_to_the_images_program(world: World, submit: Submit) -> None:
    """The test's image runs timeit."""
    arguments = ["print('a  b')"]
    row = run(world, submit("", AlgorithmSpecification={"TrainingImage": "test", "ContainerArguments": arguments}))
    assert (row.status, said(world, row)[0]) == ("Completed", "a  b")


def test_metrics_become_series_while_the_job_runs(world: World, submit: Submit) -> None:
    algorithm = {
        **spec(READY.replace("echo ready", "echo loss=0.5; echo ready") + "echo loss=0.25")["AlgorithmSpecification"],
        "MetricDefinitions": [{"Name": "loss", "Regex": r"loss=(\S+)"}],
    }
    key = submit("", AlgorithmSpecification=algorithm)
    row = all_ready(world, key)
    go(world, row, 0)
    assert run(world, key).status == "Completed"
    calls = [call for call in world.calls if call.operation == "PutMetricData"]
    data = [datum for call in calls for datum in call.params["MetricData"] if datum["MetricName"] == "loss"]
    assert sum(datum.get("StatisticValues", {"SampleCount": 1})["SampleCount"] for datum in data) == 2
