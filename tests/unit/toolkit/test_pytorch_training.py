"""PyTorch's scripts: alone, by torchrun, by mpirun, and refused."""

import json

import pytest

from tests.unit.toolkit.containers import deep_learning_python

MODULE = "clary.toolkit.pytorch.train"
TELL = """
import json, os, sys
names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "GLOO_SOCKET_IFNAME", "SM_CURRENT_HOST")
print("told " + json.dumps([sys.argv[1:], {name: os.environ.get(name) for name in names}]), flush=True)
"""


@pytest.fixture(scope="session")
def python():
    return deep_learning_python("pytorch-training:2.6.0-cpu-py312")


def told(result):
    lines = [line for line in result.stdout.splitlines() if line.startswith("told ")]
    assert lines, result.stdout + result.stderr
    return [json.loads(line[5:]) for line in lines]


def test_a_plain_script_knows_where_processes_meet(opt, python):
    opt.write(
        "resourceconfig.json",
        {"current_host": "algo-2", "hosts": ["algo-1", "algo-2"], "network_interface_name": "eth0"},
    )
    opt.script(TELL, epochs=2)
    [[arguments, found]] = told(opt.train(python, MODULE))
    assert arguments == ["--epochs", "2"]
    assert found["RANK"] is None
    assert (found["MASTER_ADDR"], found["MASTER_PORT"], found["GLOO_SOCKET_IFNAME"]) == ("algo-1", "7777", "eth0")


@pytest.mark.parametrize("name", ["sagemaker_torch_distributed_enabled", "sagemaker_pytorch_ddp_enabled"])
def test_torchrun_starts_the_script(opt, python, name):
    opt.script(TELL, epochs=2, **{name: True})
    result = opt.train(python, MODULE)
    [[arguments, found]] = told(result)
    assert arguments == ["--epochs", "2"]
    assert (found["RANK"], found["WORLD_SIZE"], found["SM_CURRENT_HOST"]) == ("0", "1", "algo-1")
    assert "-m torch.distributed.run --nnodes 1 --nproc_per_node 1 train.py --epochs 2" in result.stdout


def test_a_script_that_fails_below_torchrun_is_the_reason_not_torchrun(opt, python):
    opt.script("def f():\n    raise ValueError('no such column')\nf()", sagemaker_torch_distributed_enabled=True)
    assert opt.train(python, MODULE).returncode == 1
    assert opt.failure().splitlines()[:3] == [
        "ExecuteUserScriptError:",
        "ExitCode 1",
        'ErrorMessage "ValueError: no such column"',
    ]


def test_a_shell_script_is_nothing_for_torchrun(opt, python):
    opt.script("echo never", name="run.sh", sagemaker_torch_distributed_enabled=True)
    result = opt.train(python, MODULE)
    assert result.returncode == 1
    assert "never" not in result.stdout.splitlines()
    assert opt.failure() == "Unsupported entry point type for torch_distributed"


@pytest.mark.parametrize(
    "given",
    [{"sagemaker_distributed_dataparallel_enabled": True}, {"mp_parameters": {"partitions": 2}}],
    ids=["data parallel", "model parallel"],
)
def test_smdistributed_says_what_to_use_instead(opt, python, given):
    opt.script(TELL, **given)
    assert opt.train(python, MODULE).returncode == 1
    assert 'distribution={"torch_distributed": {"enabled": True}}' in opt.failure()


RANKS = """
import sys
from mpi4py import MPI
print("told [%d, %d]" % (MPI.COMM_WORLD.rank, MPI.COMM_WORLD.size), flush=True)
if "--fail" in sys.argv and MPI.COMM_WORLD.rank == 1:
    raise ValueError("rank 1 has had enough")
MPI.COMM_WORLD.barrier()
"""
MPI = {"sagemaker_mpi_enabled": True, "sagemaker_mpi_num_of_processes_per_host": 2}


def test_mpirun_starts_as_many_processes_as_are_asked_for(opt, python):
    opt.script(RANKS, **MPI, sagemaker_mpi_custom_mpi_options="-x COLOUR=blue --NCCL_DEBUG=WARN")
    result = opt.train(python, MODULE)
    assert sorted(told(result)) == [[0, 2], [1, 2]]
    assert "-x NCCL_DEBUG=WARN -x COLOUR=blue python -m mpi4py train.py" in result.stdout


def test_one_rank_that_fails_ends_all_and_is_the_reason(opt, python):
    opt.script(RANKS, fail="", **MPI)
    assert opt.train(python, MODULE).returncode == 1
    assert 'ErrorMessage "ValueError: rank 1 has had enough"' in opt.failure()


def test_an_image_without_mpirun_says_so(opt, sklearn_python):
    opt.env["PATH"] = "/nowhere"
    opt.script("print('never')", **MPI)
    assert opt.train(sklearn_python).returncode == 1
    assert opt.failure().startswith("mpirun is not in this image.")
