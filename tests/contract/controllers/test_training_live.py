"""Training jobs in real containers: what they find, what they leave, how they end."""

from __future__ import annotations

import io
import json
import resource
import tarfile
import time

import pytest

from clary.compute.base import Limits
from clary.errors import ClaryError
from tests.slowness import slowness

from .conftest import ACCOUNT, ROLE

GROUP = "/aws/sagemaker/TrainingJobs"


def spec(script, **more):
    algorithm = {"TrainingImage": "test", "TrainingInputMode": "File", "ContainerEntrypoint": ["/bin/sh", "-c", script]}
    return {
        "AlgorithmSpecification": algorithm,
        "RoleArn": ROLE,
        "HyperParameters": {"depth": "3"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out", "KmsKeyId": ""},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        **more,
    }


@pytest.fixture
def submit(world):
    def insert(script, name="job", **more):
        return world.insert("training-job", name, "Starting", "Completed", spec(script, **more))

    return insert


def run(world, key):
    return world.until_status(key, "Completed", "Failed", "Stopped", "MaxRuntimeExceeded")


def members(archive):
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isreg()}


def channel(name, uri, kind="S3Prefix"):
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": kind, "S3Uri": uri}}}


def test_a_job_reads_its_input_and_leaves_a_model(world, submit):
    world.put("data/a/x.csv", b"1,2")
    world.put("data/y.csv", b"3,4")
    script = """
        cd /opt/ml && cat input/data/train/a/x.csv input/config/*.json && echo loss=0.5 && echo loss=0.25
        echo changed > input/data/train/y.csv
        mkdir model/deep && cp input/data/train/y.csv model/deep/m
        ln -s deep/m model/link; ln -s /etc/passwd model/bad
        echo result > output/data/r.txt; echo $TRAINING_JOB_NAME $AWS_REGION $ROLE $MINE; command -v python"""
    key = submit(script, InputDataConfig=[channel("train", "s3://bucket/data/")], Environment={"MINE": "yes"})
    row = run(world, key)
    assert row.status == "Completed", row.state
    state = row.state
    assert state["model_artifacts"] == "s3://bucket/out/job/output/model.tar.gz"
    assert members(world.get(state["model_artifacts"])) == {"deep/m": b"changed\n"}
    assert members(world.get("s3://bucket/out/job/output/output.tar.gz")) == {"r.txt": b"result\n"}
    assert world.get("s3://bucket/data/y.csv") == b"3,4"
    assert [(metric["MetricName"], metric["Value"]) for metric in state["metrics"]] == [("loss", 0.25)]
    assert [entry["Status"] for entry in state["transitions"]] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    lines = world.log(GROUP, state["log_streams"][0])
    assert lines[0] == "nearest version is used"
    assert f"job us-east-1 {ROLE} yes" in lines
    config = "".join(lines)
    assert json.dumps({"depth": "3"}) in config
    assert '"current_host": "algo-1"' in config
    operations = {call.operation for call in world.calls} - {"PutMetricData"}  # of one that takes its time
    assert operations == {"CreateLogGroup", "CreateLogStream"}
    assert world.calls[0].principal.account == ACCOUNT


def test_nothing_is_left_of_a_container_that_has_ended(world, submit):
    run(world, submit("true"))
    world.until(lambda: not list(world.backend.list()))


def test_job_overhead_is_small(world, submit):
    """At least once, on a machine that is given to it: what others do meanwhile is in each figure too."""

    def seconds(name: str) -> float:
        slow = slowness()
        began = time.monotonic()
        run(world, submit("echo x > /opt/ml/model/m", name))
        return (time.monotonic() - began) / max(slow, slowness())

    run(world, submit("true", "first"))
    assert any(seconds(f"job-{number}") < 1.0 for number in range(10))


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo oops >&2; exit 3", "AlgorithmError: oops, exit code: 3"),
        (
            "printf 'Traceback (most recent call last):\\n  File x\\nValueError: bad depth\\n'; echo bye; exit 1",
            "AlgorithmError: ValueError: bad depth, exit code: 1",
        ),
        ("echo why > /opt/ml/output/failure; exit 1", "AlgorithmError: why, exit code: 1"),
        ("ln -s /etc/hostname /opt/ml/output/failure; exit 1", "AlgorithmError: , exit code: 1"),
        ("kill -9 $$", "AlgorithmError: , exit code: 137"),
    ],
)
def test_failure_says_why_in_the_programs_own_words(world, submit, script, reason):
    row = run(world, submit(script))
    assert row.status == "Failed"
    assert row.state["failure_reason"].replace("nearest version is used", "") == reason


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"InputDataConfig": [channel("c", "s3://bucket/none/")]}, "No S3 objects found under S3 URL"),
        ({"InputDataConfig": [channel("c", "s3://nobucket/x")]}, "No S3 objects found under S3 URL"),
        ({"OutputDataConfig": {"S3OutputPath": "s3://nobucket/"}}, "the bucket nobucket does not exist"),
        ({"AlgorithmSpecification": {"TrainingImage": "other"}}, "Cannot find the image other"),
        (
            {"AlgorithmSpecification": {"TrainingImage": "test", "ContainerEntrypoint": ["/none"]}},
            "CannotStartContainerError",
        ),
    ],
)
def test_what_cannot_be_done_is_a_client_error(world, submit, more, reason):
    row = run(world, submit("true", **more))
    assert (row.status, row.state["failure_reason"].split(":")[0]) == ("Failed", "ClientError"), row.state
    assert reason in row.state["failure_reason"]


def test_stop_lets_the_program_save_its_model(world, submit):
    key = submit("trap 'echo saved > /opt/ml/model/m; exit 0' TERM; echo ready; while :; do sleep 0.01; done")
    row = world.until_status(key, "Training")
    world.until(lambda: "ready" in world.log(GROUP, row.state["log_streams"][0]))
    world.change(key, target="Stopped")
    row = run(world, key)
    assert row.status == "Stopped"
    assert members(world.get(row.state["model_artifacts"])) == {"m": b"saved\n"}


def test_time_limit(world, submit):
    row = run(world, submit("exec sleep 600", StoppingCondition={"MaxRuntimeInSeconds": 1}))
    assert row.status == "MaxRuntimeExceeded"


def test_a_job_has_the_default_limits(world, submit):
    row = run(world, submit("cat /proc/self/limits"))
    assert row.status == "Completed"
    limits, lines = Limits(), world.log(GROUP, row.state["log_streams"][0])
    found = {line[:26].strip(): line[26:].split()[:2] for line in lines}
    assert found["Max processes"] == [_held(limits.processes, resource.RLIMIT_NPROC)] * 2
    assert found["Max open files"] == [_held(limits.open_files, resource.RLIMIT_NOFILE)] * 2
    assert found["Max core file size"] == ["0", "0"]


def _held(wanted, kind):
    """A limit cannot be above the one that this machine has in force."""
    hard = resource.getrlimit(kind)[1]
    return str(wanted if hard == resource.RLIM_INFINITY else min(wanted, hard))


def test_job_goes_on_when_control_dies_and_comes_back(world, submit):
    key = submit("echo on; while [ ! -e /opt/ml/input/go ]; do sleep 0.01; done; echo x > /opt/ml/model/m")
    world.until_status(key, "Training")
    container = world.row(key).state["containers"][0]
    world.until(lambda: world.log(GROUP, world.row(key).state["log_streams"][0])[-1:] == ["on"])
    world.close()
    (world.settings.containers_dir / container / "bundle" / "input" / "go").touch()
    world.open()
    assert run(world, key).status == "Completed"


def test_container_without_a_row_is_removed_at_start(world, submit):
    key = submit("exec sleep 600")
    world.until_status(key, "Training")
    world.close()
    world.open()
    world.close()
    world.open()
    assert world.row(key).status == "Training"
    world.store.write(lambda transaction: transaction.delete(key))
    world.close()
    world.open()
    world.until(lambda: not list(world.backend.list()))


def test_lost_container_is_an_internal_error(world, submit):
    key = submit("exec sleep 600")
    row = world.until_status(key, "Training")
    folder = world.settings.containers_dir / row.state["containers"][0]
    world.until((folder / "handle.json").exists)
    world.close()
    world.backend.stop(row.state["containers"][0], 0)
    world.until((folder / "exit.json").exists)
    (folder / "exit.json").unlink()
    world.open()
    row = run(world, key)
    assert row.state["failure_reason"].startswith("InternalServerError")


def test_uncompressed_output(world, submit):
    output = {"S3OutputPath": "s3://bucket/out", "CompressionType": "NONE"}
    row = run(world, submit("echo 1 > /opt/ml/model/m", OutputDataConfig=output))
    assert row.state["model_artifacts"] == "s3://bucket/out/job/output/model/"
    assert world.get("s3://bucket/out/job/output/model/m") == b"1\n"


def test_checkpoints_come_and_go(world, submit):
    world.put("ckpt/old", b"1")
    run(
        world,
        submit("cp /opt/ml/checkpoints/old /opt/ml/checkpoints/new", CheckpointConfig={"S3Uri": "s3://bucket/ckpt"}),
    )
    assert world.get("s3://bucket/ckpt/new") == b"1"


def test_machine_that_cannot_run_containers_says_why(world, submit, monkeypatch):
    def refuse(*_):
        raise ClaryError("Namespaces are forbidden here.", "Allow them.")

    monkeypatch.setattr(world.backend, "start", refuse)
    row = run(world, submit("true"))
    assert row.state["failure_reason"] == "InternalServerError: Namespaces are forbidden here. Allow them."


CHECKPOINTS = {"CheckpointConfig": {"S3Uri": "s3://bucket/ckpt"}}
INPUT = {"InputDataConfig": [channel("c", "s3://bucket/data/")]}


@pytest.mark.parametrize(
    ("action", "place", "more", "reason"),
    [
        ("s3:ListBucket", "bucket", INPUT, "Data download failed:Unable to list objects under s3://bucket/data/"),
        ("s3:GetObject", "bucket/data/x", INPUT, "Data download failed:Unable to download object s3://bucket/data/x"),
        ("s3:ListBucket", "bucket", CHECKPOINTS, "Data download failed:Unable to list objects under s3://bucket/ckpt/"),
        (
            "s3:PutObject",
            "bucket/out/job/output/model.tar.gz",
            {},
            "Artifact upload failed:Unable to upload object s3://bucket/out/job/output/model.tar.gz",
        ),
        (
            "s3:PutObject",
            "bucket/ckpt/new",
            CHECKPOINTS,
            "Artifact upload failed:Unable to upload object s3://bucket/ckpt/new",
        ),
    ],
    ids=["list", "get", "checkpoints", "model", "new checkpoint"],
)
def test_what_the_role_may_not_do_in_s3_fails_the_job(world, submit, action, place, more, reason):
    world.put("data/x", b"1")
    world.denied.add((action, f"arn:aws:s3:::{place}"))
    script = "echo 1 > /opt/ml/model/m; if [ -d /opt/ml/checkpoints ]; then echo 1 > /opt/ml/checkpoints/new; fi"
    row = run(world, submit(script, **more))
    denial = f"(AccessDenied: User: {ROLE} is not authorized to perform: {action} in us-east-1)"
    assert (row.status, row.state["failure_reason"]) == ("Failed", f"ClientError: {reason} {denial}")
