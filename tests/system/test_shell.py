"""`clary shell`: into the containers of running jobs."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import CLARY, RunningClary, wait_until
from tests.system.jobs import BUCKET, Jobs

pytestmark = [pytest.mark.system]

WAITS = """\
import os, time
print("waiting", flush=True)
while not os.path.exists("/tmp/go"):
    time.sleep(0.05)
"""


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Iterator[Jobs]:
    yield Jobs(shared)


def _shell(jobs: Jobs, *arguments: str) -> subprocess.CompletedProcess[str]:
    return jobs.clary.run("shell", *arguments, check=False)


def test_a_job_with_remote_debugging_is_entered(jobs: Jobs) -> None:
    jobs.start("open", WAITS, RemoteDebugConfig={"EnableRemoteDebug": True})
    jobs.reached("open", "Training")
    wait_until(lambda: _shell(jobs, "open", "--", "true").returncode == 0, 60, "the job lets people in")
    done = _shell(jobs, "open", "--", "sh", "-c", "ls /opt/ml; echo $TRAINING_JOB_NAME; exit 41")
    assert done.returncode == 41
    assert {"input", "model", "open"} <= set(done.stdout.split())
    assert "has no host algo-9" in _shell(jobs, "open", "--host", "algo-9", "--", "true").stderr
    assert _typed(jobs, "open", "stty size; touch /tmp/go; exit 3\n") == (3, "33 111")
    assert jobs.ended("open")["TrainingJobStatus"] == "Completed"
    assert "no container that runs" in _shell(jobs, "open", "--", "true").stderr


def test_a_job_without_is_not_until_it_is_switched_on(jobs: Jobs) -> None:
    jobs.start("closed", WAITS)
    jobs.reached("closed", "Training")
    refused = _shell(jobs, "closed", "--", "true")
    assert refused.returncode == 1
    assert "update-training-job --training-job-name closed" in refused.stderr
    jobs.sagemaker.update_training_job(TrainingJobName="closed", RemoteDebugConfig={"EnableRemoteDebug": True})
    wait_until(lambda: _shell(jobs, "closed", "--", "touch", "/tmp/go").returncode == 0, 60, "it lets people in")
    jobs.ended("closed")


def test_what_is_not_there_cannot_be_entered(jobs: Jobs) -> None:
    assert "no training job, endpoint or inference component nothing" in _shell(jobs, "nothing", "--", "true").stderr


def _typed(jobs: Jobs, name: str, keys: str) -> tuple[int, str]:
    """Type into an interactive shell in a terminal of 33 lines and 111 columns; exit code, and the size it told."""
    pid, leader = pty.fork()
    if pid == 0:
        os.execv(CLARY, [str(CLARY), "shell", name, "--data-dir", str(jobs.clary.data_dir)])
    fcntl.ioctl(leader, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 111, 0, 0))
    said, deadline, typed = b"", time.monotonic() + 120, False
    while time.monotonic() < deadline:
        if not select.select([leader], [], [], 0.5)[0]:
            continue
        try:
            said += os.read(leader, 65536)
        except OSError:
            break
        if not typed and (b"$ " in said or b"# " in said):
            os.write(leader, keys.encode())
            typed = True
    os.close(leader)
    size = "33 111" if b"33 111" in said else said.decode()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), size


def _enter(jobs: Jobs, *arguments: str) -> None:
    wait_until(lambda: _shell(jobs, *arguments).returncode == 0, 60, "the host runs")


def test_the_commands_of_the_guide(jobs: Jobs) -> None:
    """As they stand in docs/sandbox.md, with a job of two hosts."""
    page = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()
    commands = [line.split()[3:] for line in page.splitlines() if line.startswith("$ clary ")]
    assert len(commands) == 2
    jobs.s3.put_object(Bucket=BUCKET, Key="train/a.csv", Body=b"1,2\n")
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/train"}}
    jobs.start(
        "my-job",
        WAITS,
        RemoteDebugConfig={"EnableRemoteDebug": True},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1},
        InputDataConfig=[{"ChannelName": "train", "DataSource": source}],
    )
    jobs.reached("my-job", "Training")
    for host in ("algo-1", "algo-2"):
        _enter(jobs, "my-job", "--host", host, "--", "getent", "hosts", "algo-1", "algo-2")
    said = [jobs.clary.run("shell", *command).stdout for command in commands]
    assert said[1].split() == ["train"]
    for host in ("algo-1", "algo-2"):
        _shell(jobs, "my-job", "--host", host, "--", "touch", "/tmp/go")
    assert jobs.ended("my-job")["TrainingJobStatus"] == "Completed"
