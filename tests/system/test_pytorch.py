"""PyTorch's images in a started Clary: one host and two, torchrun, mpirun, and what a script's end looks like."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.running import RunningClary
from tests.system.jobs import BUCKET, Jobs, packed

TRAINING = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.6.0-cpu-py312"
OLD = "520713654638.dkr.ecr.us-west-2.amazonaws.com/sagemaker-pytorch:0.4.0-cpu-py3"

LINE = """\
import os
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

x = torch.linspace(-1, 1, 64).reshape(64, 1)
y = 3 * x + 0.5 + 0.1 * torch.sin(20 * x)
together = "RANK" in os.environ
if together:
    dist.init_process_group("gloo")
    rank, size = dist.get_rank(), dist.get_world_size()
    print(f"rank={rank} of {size} on {os.environ['SM_CURRENT_HOST']}", flush=True)
    x, y = x[rank::size], y[rank::size]
torch.manual_seed(0)
model = torch.nn.Linear(1, 1)
model = DistributedDataParallel(model) if together else model
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
for _ in range(40):
    loss = torch.nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
total = loss.detach()
if together:
    dist.all_reduce(total)
    total = total / dist.get_world_size()
print(f"loss={total.item():.9f}", flush=True)
if not together or dist.get_rank() == 0:
    torch.save(model.state_dict(), os.path.join(os.environ["SM_MODEL_DIR"], "model.pth"))
if together:
    dist.destroy_process_group()
"""

STARVED = """\
import os
import subprocess
import sys
import threading
import time
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel


def starve():
    for thread in map(int, os.listdir("/proc/self/task")):
        if thread != threading.get_native_id():
            os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))


def train():
    x = torch.ones(8, 1)
    model = DistributedDataParallel(torch.nn.Linear(1, 1))
    for _ in range(4):
        starve()
        loss = model(x).sum()
        loss.backward()
    total = loss.detach()
    dist.all_reduce(total)
    return total.item()


dist.init_process_group("gloo")
if dist.get_rank() == 0:
    for _ in range(os.cpu_count()):
        busy = ["timeout", "10", sys.executable, "-S", "-c", "while True: pass"]
        subprocess.Popen(busy, stderr=subprocess.DEVNULL)
time.sleep(0.5)
print(f"loss={train():.3f}", flush=True)
dist.destroy_process_group()
"""

RANKS = """\
import os
from mpi4py import MPI

world = MPI.COMM_WORLD
told = world.gather((world.rank, os.environ["SM_CURRENT_HOST"], os.environ["OMPI_COMM_WORLD_LOCAL_RANK"]))
if world.rank == 0:
    print("told", told, flush=True)
print(f"sum={world.allreduce(world.rank + 1)}", flush=True)
"""


def start(jobs: Jobs, name: str, script: str, image: str, hosts: int = 1, **given: Any) -> Any:
    """A job of that image that has ended."""
    key = f"{name}/source.tar.gz"
    jobs.s3.put_object(Bucket=BUCKET, Key=key, Body=packed({"train.py": script}))
    jobs.start(
        name,
        script,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": hosts, "VolumeSizeInGB": 1},
        HyperParameters={
            "sagemaker_program": json.dumps("train.py"),
            "sagemaker_submit_directory": json.dumps(f"s3://{BUCKET}/{key}"),
            **{key: json.dumps(value) for key, value in given.items()},
        },
    )
    return jobs.ended(name)


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Jobs:
    return Jobs(shared)


def losses(jobs: Jobs, name: str) -> list[float]:
    return [float(value) for value in re.findall(r"loss=([-0-9.]+)", jobs.said(name))]


@pytest.fixture(scope="module")
def alone(jobs: Jobs) -> float:
    """The loss that one host reaches."""
    job = start(jobs, "torch-alone", LINE, TRAINING)
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    [loss] = losses(jobs, "torch-alone")
    return loss


def test_two_hosts_by_torchrun_reach_the_loss_of_one(jobs: Jobs, alone: float) -> None:
    job = start(jobs, "torch-two", LINE, TRAINING, hosts=2, sagemaker_torch_distributed_enabled=True)
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    said = jobs.said("torch-two")
    assert sorted(re.findall(r"rank=(\d of \d on algo-\d)", said)) == ["0 of 2 on algo-1", "1 of 2 on algo-2"]
    assert losses(jobs, "torch-two") == pytest.approx([alone, alone], abs=1e-6)


def test_a_script_ends_well_although_the_threads_of_its_last_collective_are_starved(jobs: Jobs) -> None:
    """Without the start-up hook it dies of "terminate called without an active exception"."""
    job = start(jobs, "torch-starved", STARVED, TRAINING, hosts=2, sagemaker_torch_distributed_enabled=True)
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    assert len(losses(jobs, "torch-starved")) == 2


def test_two_hosts_by_mpirun_without_ssh(jobs: Jobs) -> None:
    given = {"sagemaker_mpi_enabled": True, "sagemaker_mpi_num_of_processes_per_host": 2}
    job = start(
        jobs, "mpi-two", RANKS, TRAINING, hosts=2, **given, sagemaker_mpi_custom_mpi_options="--NCCL_DEBUG=WARN"
    )
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    said = jobs.said("mpi-two")
    assert "told [(0, 'algo-1', '0'), (1, 'algo-1', '1'), (2, 'algo-2', '0'), (3, 'algo-2', '1')]" in said
    assert said.count("sum=10") == 4


ENOUGH = """\
import os
from mpi4py import MPI

if MPI.COMM_WORLD.rank == 1:
    raise ValueError("this rank has had enough")
MPI.COMM_WORLD.barrier()
"""


def test_a_rank_that_fails_on_another_host_is_the_reason(jobs: Jobs) -> None:
    job = start(jobs, "mpi-fails", ENOUGH, TRAINING, hosts=2, sagemaker_mpi_enabled=True)
    assert job["TrainingJobStatus"] == "Failed"
    assert "ValueError: this rank has had enough" in job["FailureReason"], jobs.said("mpi-fails")


def test_a_rank_that_fails_below_torchrun_is_the_reason(jobs: Jobs) -> None:
    script = "import os\nif os.environ['RANK'] == '1':\n    raise ValueError('this rank has had enough')\n"
    job = start(jobs, "torchrun-fails", script, TRAINING, hosts=2, sagemaker_torch_distributed_enabled=True)
    assert job["TrainingJobStatus"] == "Failed"
    assert "ValueError: this rank has had enough" in job["FailureReason"], jobs.said("torchrun-fails")


def test_an_old_version_is_answered_by_the_nearest_at_the_head_of_the_log(jobs: Jobs) -> None:
    job = start(jobs, "torch-old", "import torch\nprint(torch.__version__)", OLD)
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    assert jobs.said("torch-old").startswith("torch 0.4.0 cannot be had on this machine; torch ")
