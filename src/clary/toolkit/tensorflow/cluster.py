"""`TF_CONFIG`: what TensorFlow is told of a job's hosts, as AWS's training toolkit tells it
(https://github.com/aws/sagemaker-tensorflow-training-toolkit; https://www.tensorflow.org/guide/distributed_training)."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

MASTER_PORT = 2222
_SERVER_PORT = 2223
_WORKER_PORT = 8890

Config = Dict[str, Any]


def of_workers(hosts: Sequence[str], current: str) -> Config:
    """For MultiWorkerMirroredStrategy: every host is a worker."""
    return _config({"worker": _addresses(hosts, _WORKER_PORT)}, "worker", list(hosts).index(current))


def of_parameter_servers(hosts: Sequence[str], current: str) -> Config:
    """For parameter servers: the first host is the master, the others work, all serve parameters besides."""
    workers = list(hosts[1:])
    if current == hosts[0]:
        return _config(_with_servers(hosts), "master", 0)
    return _config(_with_servers(hosts), "worker", workers.index(current))


def of_this_server(hosts: Sequence[str], current: str) -> Config:
    """For the process that serves parameters on this host."""
    return _config(_with_servers(hosts), "ps", list(hosts).index(current))


def _with_servers(hosts: Sequence[str]) -> Dict[str, List[str]]:
    cluster = {"master": _addresses(hosts[:1], MASTER_PORT), "ps": _addresses(hosts, _SERVER_PORT)}
    return {**cluster, "worker": _addresses(hosts[1:], MASTER_PORT)} if len(hosts) > 1 else cluster


def _addresses(hosts: Sequence[str], port: int) -> List[str]:
    return [f"{host}:{port}" for host in hosts]


def _config(cluster: Dict[str, List[str]], kind: str, index: int) -> Config:
    return {"cluster": cluster, "environment": "cloud", "task": {"index": index, "type": kind}}
