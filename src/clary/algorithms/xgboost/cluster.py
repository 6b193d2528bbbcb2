"""Several hosts boost one model together, by XGBoost's own collective communication.

Its interface changed three times: `rabit` with a list of settings (until 1.6), `collective` with DMLC's variables
(1.7 and 2.0), `collective` with the arguments that a tracker written in C++ hands out (from 2.1).
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import logging
import socket
from pathlib import Path
from types import ModuleType
from typing import Any, Dict, Iterator, List, Optional, Sequence

import numpy as np
import xgboost

from clary.algorithms.xgboost.meeting import master_of, meet

logger = logging.getLogger(__name__)

Array = Any
Tracker = Any
"""XGBoost's, of whichever version."""
Settings = Dict[str, Any]

_GATHER_PORT = 9099
_TRACKER_PORT = 9100
_LAST_PORT = 9999
_SUM = 2
"""The same number in every version's list of operations."""


def _module(name: str) -> Optional[ModuleType]:
    return importlib.import_module(name) if importlib.util.find_spec(name) else None


def _tracker_module() -> ModuleType:
    """XGBoost 0.90 carries the tracker as a file beside its package."""
    found = _module("xgboost.tracker")
    if found is not None:
        return found
    path = Path(xgboost.__file__).parent / "dmlc-core/tracker/dmlc_tracker/tracker.py"
    spec = importlib.util.spec_from_file_location("dmlc_tracker", str(path))
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_COLLECTIVE = _module("xgboost.collective")
_TALK: Any = _COLLECTIVE or importlib.import_module("xgboost.rabit")
"""The module that holds init, finalize and allreduce."""
_TRACKER: Any = _tracker_module().RabitTracker
_ASKED = inspect.signature(_TRACKER.__init__).parameters


def members(hosts: Sequence[str], current: str, *, takes_part: bool) -> List[str]:
    """The hosts that have data, by name; every host of the job has to ask."""
    said = meet(hosts, current, _GATHER_PORT, takes_part)
    return sorted(host for host, has_data in said.items() if has_data)


@contextlib.contextmanager
def joined(hosts: Sequence[str], current: str) -> Iterator[bool]:
    """Boost together with the other hosts until the end of the block; True on the host that keeps the model.

    Where the block raises, nothing is said to the others: this process ends, and they see its connections close.
    """
    is_master = current == master_of(hosts)
    if len(hosts) == 1:
        yield is_master
        return
    tracker = _started(socket.gethostbyname(current), len(hosts)) if is_master else None
    said = meet(hosts, current, _TRACKER_PORT, _way_to(tracker) if is_master else None)
    _join(said[master_of(hosts)], sorted(hosts).index(current), len(hosts))
    logger.info("Connected to RabitTracker.")
    yield is_master
    _TALK.finalize()
    if tracker is not None:
        _wait_for(tracker)


def _started(address: str, number: int) -> Tracker:
    if "nslave" in _ASKED:
        tracker = _TRACKER(address, number, port=_TRACKER_PORT + 1, port_end=_LAST_PORT)
    else:
        order = {"sortby": "task"} if "sortby" in _ASKED else {}
        tracker = _TRACKER(host_ip=address, n_workers=number, port=0, **order)
    if hasattr(tracker, "worker_args"):
        tracker.start()
    else:
        tracker.start(number)
    return tracker


def _way_to(tracker: Tracker) -> Settings:
    for name in ("worker_args", "worker_envs", "slave_envs"):
        if hasattr(tracker, name):
            return {key: str(value) for key, value in getattr(tracker, name)().items()}
    raise AttributeError(f"{tracker} does not say how it is reached")


def _join(way: Settings, place: int, number: int) -> None:
    task = f"{place:08d}"
    if any(name.islower() for name in way):
        _TALK.init(**{**way, "dmlc_tracker_port": int(way["dmlc_tracker_port"]), "dmlc_task_id": task})
    elif _COLLECTIVE is not None:
        _TALK.init(**way, DMLC_TASK_ID=task)
    else:
        settings = {**way, "DMLC_TASK_ID": task, "DMLC_NUM_WORKER": number}
        _TALK.init([f"{name}={value}".encode() for name, value in settings.items()])


def _wait_for(tracker: Tracker) -> None:
    if hasattr(tracker, "wait_for"):
        tracker.wait_for()
    elif hasattr(tracker.thread, "isAlive"):
        tracker.join()
    else:
        tracker.thread.join()  # XGBoost 0.90 asks its thread as Python 3.8 did


def mean_over_hosts(values: Array) -> Array:
    """The mean of each value over the hosts that boost together; the values themselves on a single host."""
    number = _TALK.get_world_size()
    return _TALK.allreduce(np.asarray(values, dtype=float), _SUM) / number if number > 1 else values
