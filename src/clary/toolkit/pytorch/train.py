"""`train` of PyTorch's images: a user's script, alone or by torchrun on all hosts
(`python -m clary.toolkit.pytorch.train`; https://github.com/aws/sagemaker-pytorch-training-toolkit)."""

from __future__ import annotations

import os
from typing import Dict, List, NoReturn, Optional

from clary.toolkit.entry import Launch
from clary.toolkit.environment import TrainingEnvironment
from clary.toolkit.errors import ClientError
from clary.toolkit.pytorch.torchrun import PORT, TorchRun
from clary.toolkit.train import guarded, leave, run_script

_TORCHRUN = ("sagemaker_torch_distributed_enabled", "sagemaker_pytorch_ddp_enabled")
_DATA_PARALLEL = "sagemaker_distributed_dataparallel_enabled"
_MODEL_PARALLEL = "mp_parameters"
_NOT_HERE = (
    "ClientError: smdistributed is a library of AWS's own for its GPU clusters and cannot be had."
    ' Use distribution={"torch_distributed": {"enabled": True}} with torch.nn.parallel.DistributedDataParallel'
    " or torch.distributed.fsdp in the script."
)


def main() -> NoReturn:
    """Run the user's script as `/opt/ml` says, and end the process."""
    leave(guarded(run))


def run(environment: TrainingEnvironment) -> None:
    """Run the script, where it is asked for by torchrun. Raises ClientError for smdistributed, and as entry.run."""
    hyperparameters = environment.hyperparameters
    if hyperparameters.frameworks.get(_DATA_PARALLEL) or _MODEL_PARALLEL in hyperparameters.users:
        raise ClientError(_NOT_HERE)
    os.environ.update(meeting(environment))
    run_script(environment, _launch(environment))


def meeting(environment: TrainingEnvironment) -> Dict[str, str]:
    """Where processes meet, for scripts that call `init_process_group` themselves too, and over which network."""
    interface = str(environment.snapshot()["network_interface_name"])
    return {
        "GLOO_SOCKET_IFNAME": interface,
        "MASTER_ADDR": _hosts(environment)[0],
        "MASTER_PORT": str(PORT),
        "NCCL_IB_DISABLE": "1",
        "NCCL_SOCKET_IFNAME": interface,
        "TP_SOCKET_IFNAME": interface,
    }


def _launch(environment: TrainingEnvironment) -> Optional[Launch]:
    hosts, current = _hosts(environment), str(environment.resources["current_host"])
    wanted = any(environment.hyperparameters.frameworks.get(name) for name in _TORCHRUN)
    return TorchRun(hosts, current, environment.gpus or 1) if wanted and current in hosts else None


def _hosts(environment: TrainingEnvironment) -> List[str]:
    snapshot = environment.snapshot()
    return list(snapshot["distribution_hosts"] or snapshot["hosts"])


if __name__ == "__main__":
    main()
