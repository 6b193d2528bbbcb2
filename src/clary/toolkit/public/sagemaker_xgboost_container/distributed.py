"""`distributed`: a script's function, run on several hosts that boost together."""

from __future__ import annotations

import logging
import socket
import sys
from typing import Any, Callable, Dict, List, Optional

from clary.algorithms.xgboost import cluster

logger = logging.getLogger(__name__)


def wait_hostname_resolution(sm_hosts: List[str]) -> None:
    """Look every host's name up. Raises OSError where one is not known."""
    for host in sm_hosts:
        socket.gethostbyname(host)


def rabit_run(  # noqa: PLR0913, PLR0917 - its public signature
    exec_fun: Callable[..., Any],
    args: Dict[str, Any],
    include_in_training: bool,
    hosts: List[str],
    current_host: str,
    first_port: Optional[int] = None,
    second_port: Optional[int] = None,
    max_connect_attempts: Optional[int] = None,
    connect_retry_timeout: int = 3,
    update_rabit_args: bool = False,
) -> None:
    """Call `exec_fun(**args)` on every host that has data; with `update_rabit_args`, `is_master` is among them.

    A host without data ends here, with exit code 0. Ports and attempts are this package's own affair.
    Raises RuntimeError where no host has data.
    """
    del first_port, second_port, max_connect_attempts, connect_retry_timeout
    members = cluster.members(hosts, current_host, takes_part=include_in_training)
    if not members:
        raise RuntimeError("No hosts received training data.")
    if not include_in_training:
        logger.warning("Host %s not being used for distributed training.", current_host)
        sys.exit(0)
    with cluster.joined(members, current_host) as is_master:
        exec_fun(**args, **({"is_master": is_master} if update_rabit_args else {}))
