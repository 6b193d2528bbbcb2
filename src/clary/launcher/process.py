"""What a freshly forked process must do to itself: descriptors, signals, limits, streams."""

# ruff: noqa: PTH123, PTH208
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import fcntl
import importlib
import os
import resource
import signal
import time
from typing import Dict, Iterable, List, Optional, Tuple

from clary.compute.launch import LaunchLimits

_LOOK_SECONDS = 0.001
_CORE_FILES = (resource.RLIMIT_CORE, 0)  # a dump of a model's memory would fill the disk unseen


def keep_only(descriptors: Iterable[int]) -> None:
    """Close every descriptor but the standard ones and these."""
    kept = {0, 1, 2, *descriptors}
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            _close(int(name))


def _close(descriptor: int) -> None:
    try:
        os.close(descriptor)
    except OSError:
        return  # the listing's own descriptor


def default_signals() -> None:
    """As a program expects them at its start, whatever its ancestors had set."""
    signal.set_wakeup_fd(-1)
    for number in range(1, signal.NSIG):
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            _default(number)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


_set_signal = importlib.import_module("_signal").signal
"""Without the enumerations around it: looking each signal up in them writes to many pages that forks share."""
_AS_ALWAYS = int(signal.SIG_DFL)


def _default(number: int) -> None:
    try:
        _set_signal(number, _AS_ALWAYS)
    except (OSError, ValueError):
        return  # the C library keeps a few for itself


def wire_streams(output: int) -> None:
    """Standard input from nowhere, output and error into the log's pipe."""
    nowhere = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    os.dup2(nowhere, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)


def above_streams(descriptor: int) -> int:
    """The descriptor, or a copy of it, where it is not overwritten by wiring streams."""
    return descriptor if descriptor > 2 else fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)


def limit(limits: LaunchLimits) -> None:
    """Set resource limits; one above that in force is cut to it."""
    wanted: List[Tuple[int, Optional[int]]] = [
        (resource.RLIMIT_NPROC, limits["processes"]),
        (resource.RLIMIT_NOFILE, limits["open_files"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        _CORE_FILES,
    ]
    for kind, value in wanted:
        if value is not None:
            hard = resource.getrlimit(kind)[1]
            held = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (held, held))


def kill_descendants() -> None:
    """SIGKILL to every descendant of this process, to which orphans come back; returns when there is none.

    One that forks while /proc is read may be overlooked. So it is the kernel that says when none is left: as long as
    there is one, this process has a child.
    """
    while True:
        for descendant in descendants(os.getpid()):
            _kill(descendant)
        if not _some_left():
            return
        time.sleep(_LOOK_SECONDS)


def _some_left() -> bool:
    """Whether there is a child that has not ended; those that have are reaped."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def descendants(pid: int) -> List[int]:
    """All living descendants of `pid` (zombies are none), from /proc."""
    children: Dict[int, List[int]] = {}
    for name in os.listdir("/proc"):
        parent = _living_parent(name) if name.isdigit() else None
        if parent is not None:
            children.setdefault(parent, []).append(int(name))
    found, waiting = [], [pid]
    while waiting:
        for child in children.get(waiting.pop(), []):
            found.append(child)
            waiting.append(child)
    return found


def _living_parent(name: str) -> Optional[int]:
    try:
        with open("/proc/{}/stat".format(name), "rb") as file:
            state, parent = file.read().rpartition(b")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state == b"Z" else int(parent)
