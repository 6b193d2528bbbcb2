"""`torchrun` around a user's command: one process per GPU or host, who meet at the first host
(https://github.com/aws/sagemaker-training-toolkit, torch_distributed.py)."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Iterator, List

from clary.toolkit.errors import ClientError
from clary.toolkit.logs import get_logger

PORT = 7777
"""On which processes meet, at the first host."""
_UNSUPPORTED = "Unsupported entry point type for torch_distributed"


@dataclass(frozen=True)
class TorchRun:
    """Starts a Python program in every process of a cluster."""

    hosts: List[str]
    current: str
    processes: int

    @contextlib.contextmanager
    def __call__(self, command: List[str]) -> Iterator[List[str]]:
        """What is run in the command's place. Raises ClientError for what is no Python program."""
        python, *program = command
        if not program or not (program[0] == "-m" or program[0].endswith(".py")):
            raise ClientError(_UNSUPPORTED)
        get_logger().info("Starting distributed training through torchrun")
        yield [python, "-m", "torch.distributed.run", *self._options(), *program]

    def _options(self) -> List[str]:
        cluster = ["--nnodes", str(len(self.hosts)), "--nproc_per_node", str(self.processes)]
        if len(self.hosts) == 1:
            return cluster
        place = ["--master_addr", self.hosts[0], "--master_port", str(PORT)]
        return [*cluster, *place, "--node_rank", str(self.hosts.index(self.current))]
