"""All processes of an engine's container, as this machine sees them; none where the engine is another machine's."""

# ruff: noqa: PTH118, PTH123
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import os
import signal
from typing import Iterator, Optional, Set

from clary.launcher import memory, process, usage

_GROUPS = "/sys/fs/cgroup"
_ID_LENGTH = 64  # anything shorter might be part of the name of another group


class Family:
    """The container whose engine calls it `container` and its first process `pid`. An engine elsewhere tells numbers of
    another machine's: those are left alone."""

    def __init__(self, pid: int, container: str) -> None:
        self.pid = pid
        self._container = container
        self._stopped: Set[int] = set()

    def members(self) -> Set[int]:
        """Who they are now."""
        if len(self._container) < _ID_LENGTH or not self.pid:
            return set()
        groups = [path for path in _groups(self.pid) if self._container in path]
        for group in groups:
            with contextlib.suppress(OSError, ValueError), open(os.path.join(group, "cgroup.procs"), "rb") as file:
                return {int(line) for line in file}
        return {self.pid, *process.descendants(self.pid)} if groups else set()

    def held_bytes(self) -> int:
        """What they hold in memory, what they share counted for each."""
        return sum(memory.resident(pid) for pid in self.members())

    def cpu_seconds(self) -> float:
        """That they have computed, those that have ended too where their control group counts."""
        for group in _groups(self.pid):
            counted = _counted_seconds(group) if self._container in group else None
            if counted is not None:
                return counted
        return usage.cpu_seconds(self.members())

    def signal(self, number: int) -> None:
        """SIGSTOP to all of them, until there are no more; or SIGCONT to those that were stopped."""
        if number == signal.SIGSTOP:
            fresh = self.members()
            while fresh:
                _send(fresh, number)
                self._stopped |= fresh
                fresh = self.members() - self._stopped
        elif number == signal.SIGCONT:
            stopped, self._stopped = self._stopped, set()
            _send(stopped, number)


def _groups(pid: int) -> Iterator[str]:
    """Folders of the control groups that a process is in, of either version."""
    try:
        with open("/proc/{}/cgroup".format(pid), encoding="ascii") as file:
            lines = file.read().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        yield os.path.join(_GROUPS, controllers.replace("name=", ""), path.lstrip("/"))


def _counted_seconds(group: str) -> Optional[float]:
    """What a control group, of either version, says; None where it counts something else."""
    with contextlib.suppress(OSError, ValueError), open(os.path.join(group, "cpuacct.usage"), "rb") as file:
        return int(file.read()) / 1e9
    with contextlib.suppress(OSError, ValueError), open(os.path.join(group, "cpu.stat"), "rb") as file:
        said = dict(line.split() for line in file)
        return int(said[b"usage_usec"]) / 1e6 if b"usage_usec" in said else None
    return None


def _send(pids: Set[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
