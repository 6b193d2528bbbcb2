"""`mpirun` around a user's command, with the options of AWS's training toolkit
(https://github.com/aws/sagemaker-training-toolkit, mpi.py): the first host starts it, the others wait to be asked."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, Iterator, List, MutableMapping, NamedTuple, Optional, Tuple

from clary.toolkit.entry import path_of
from clary.toolkit.environment import TrainingEnvironment
from clary.toolkit.errors import ClientError
from clary.toolkit.logs import get_logger
from clary.toolkit.mpi import agent

_ENABLED = "sagemaker_mpi_enabled"
_PROCESSES = "sagemaker_mpi_num_of_processes_per_host"
_OPTIONS = "sagemaker_mpi_custom_mpi_options"
_PORT = 7778
_WORKERS_SECONDS = 3600.0
_PAUSE = 0.05
_NONE = "mpirun is not in this image. PyTorch's images have it; for others put openmpi, mpi4py into requirements.txt."


class Cluster(NamedTuple):
    """Who runs together, seen from one host."""

    hosts: List[str]
    current: str
    interface: str
    processes: int
    options: str

    @property
    def others(self) -> List[str]:
        """All hosts but the first."""
        return self.hosts[1:]


def cluster_of(environment: TrainingEnvironment) -> Optional[Cluster]:
    """The cluster of a job that asks for MPI; None for any other, and on hosts that have no part in it."""
    frameworks, snapshot = environment.hyperparameters.frameworks, environment.snapshot()
    hosts, current = snapshot["distribution_hosts"] or snapshot["hosts"], snapshot["current_host"]
    if not frameworks.get(_ENABLED) or current not in hosts:
        return None
    processes = int(frameworks.get(_PROCESSES) or environment.gpus or 1)
    return Cluster(
        list(hosts), current, snapshot["network_interface_name"], processes, str(frameworks.get(_OPTIONS) or "")
    )


class MpiRun:
    """Starts a command in every process of a cluster."""

    def __init__(self, cluster: Cluster, environ: MutableMapping[str, str]) -> None:
        self._cluster = cluster
        self._environ = environ

    @contextlib.contextmanager
    def __call__(self, command: List[str]) -> Iterator[List[str]]:
        """What this host runs in the command's place. Raises ClientError where there is no mpirun, TimeoutError where a
        host does not come."""
        cluster = self._cluster
        if cluster.current != cluster.hosts[0]:
            get_logger().info("Starting MPI run as worker node.")
            yield [sys.executable, "-I", agent.__file__, "serve", str(_PORT)]
            return
        tool = shutil.which("mpirun", path=path_of(command, self._environ))
        if tool is None:
            raise ClientError(_NONE)
        self._environ.update(_settings(cluster))
        self._environ.setdefault("HOME", tempfile.gettempdir())  # it ends at once without one
        # nothing but the end of this process closes them: other hosts fail after this one has said why
        held = [_reached(host).detach() for host in cluster.others]
        for descriptor in held:
            agent.hold(descriptor, cluster.current)
        yield [tool, *_arguments(cluster), *_in_every_process(command)]
        for descriptor in held:  # one that is dropped without this word says that mpirun has failed
            os.write(descriptor, agent.DONE)


def _reached(host: str) -> socket.socket:
    """A connection to a host's agent. Raises TimeoutError after an hour, as AWS's toolkit waits."""
    deadline = time.monotonic() + _WORKERS_SECONDS
    while True:
        try:
            connection = socket.create_connection((host, _PORT))
        except OSError as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{host} cannot be reached for MPI: {error}") from error
            time.sleep(_PAUSE)
        else:
            get_logger().info("Worker %s available for communication", host)
            return connection


def _settings(cluster: Cluster) -> Dict[str, str]:
    """For Open MPI 5 (OMPI, PRTE) and 4 (OMPI alone)."""
    alone = {
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_pml": "ob1",
        "PRTE_ALLOW_RUN_AS_ROOT": "1",
        "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    }
    if len(cluster.hosts) == 1:
        return {**alone, "OMPI_MCA_btl": "self,sm"}
    reach = f"{sys.executable} -I {agent.__file__} {_PORT}"
    return {
        **alone,
        "OMPI_MCA_btl": "self,sm,tcp",
        "OMPI_MCA_btl_tcp_if_include": cluster.interface,
        "OMPI_MCA_oob_tcp_if_include": cluster.interface,
        "OMPI_MCA_plm_rsh_agent": reach,
        "OMPI_MCA_plm_rsh_no_tree_spawn": "1",
        "PRTE_MCA_plm_ssh_agent": reach,
        "PRTE_MCA_plm_ssh_no_tree_spawn": "1",
        "PRTE_MCA_prte_if_include": cluster.interface,
    }


def _arguments(cluster: Cluster) -> List[str]:
    known, own = _own_options(cluster.options)
    names = cluster.hosts if cluster.others else ["localhost"]
    hosts = ",".join(f"{name}:{cluster.processes}" for name in names)
    count = cluster.processes * len(cluster.hosts)
    # cores are shared here: a process bound to some of them would wait for other jobs' processes
    return [
        *("--host", hosts, "-np", str(count), "--bind-to", "none", "--map-by", "slot"),
        *("-x", f"NCCL_SOCKET_IFNAME={cluster.interface}", "-x", f"NCCL_DEBUG={known.NCCL_DEBUG}"),
        *own,
    ]


def _own_options(text: str) -> Tuple[argparse.Namespace, List[str]]:
    """`custom_mpi_options`: what AWS's toolkit knows, and what mpirun is given as it is."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--NCCL_DEBUG", default="INFO")
    return parser.parse_known_args(shlex.split(text))


def _in_every_process(command: List[str]) -> List[str]:
    """By its name, for packages may lie elsewhere on each host; and under mpi4py, which ends all where one fails."""
    python = Path(command[0]).name
    return [python, "-m", "mpi4py", *command[1:]] if python.startswith("python") else command
