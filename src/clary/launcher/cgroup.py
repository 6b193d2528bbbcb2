"""A cgroup per container, where this process may make one: version 1 hierarchies, else version 2.

Without one, limits are held by rlimits and by the watching shim.
"""

# ruff: noqa: PTH103, PTH106, PTH110, PTH112, PTH118, PTH119, PTH120, PTH123, PTH208
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import os
from typing import Dict, Iterator, List, Tuple

from clary.compute import record
from clary.compute.launch import Launch

_ROOT = "/sys/fs/cgroup"


class Cgroup:
    """The folders of one container's group: one per controller (version 1), or one in all."""

    def __init__(self, folders: Dict[str, str]) -> None:
        self._folders = folders

    @property
    def holds_memory(self) -> bool:
        """Whether the kernel holds the memory limit, so that nobody else needs to."""
        return "memory" in self._folders

    def add(self, pid: int) -> None:
        """Put a process, and so its children to come, into the group."""
        for folder in set(self._folders.values()):
            _write(os.path.join(folder, "cgroup.procs"), str(pid))

    def killed_for_memory(self) -> bool:
        """Whether the kernel has killed a process of the group because of its memory limit."""
        folder = self._folders.get("memory", "")
        for name in ("memory.events", "memory.oom_control"):
            for line in _lines(os.path.join(folder, name)):
                if line.startswith("oom_kill ") and int(line.split()[1]) > 0:
                    return True
        return False

    def remove(self) -> None:
        """Give the folders back; processes in them must have ended."""
        for folder in set(self._folders.values()):
            with contextlib.suppress(OSError):
                os.rmdir(folder)


def create(container: str, launch: Launch) -> Cgroup:
    """A group for the container of this folder, with the limits that this system lets us set; it may hold none."""
    folders: Dict[str, str] = {}
    name = record.prefix(os.path.dirname(container)) + os.path.basename(container)
    for controller, settings in _wanted(launch):
        for parent, version in _parents(controller):
            folder = os.path.join(parent, name)
            if _make(folder, settings[version - 1]):
                folders[controller] = folder
                break
    return Cgroup(folders)


def sweep(containers: str) -> None:
    """Remove the groups of this folder's containers whose shim was killed; those of living ones may still be empty."""
    prefix = record.prefix(containers)
    for parent in [parent for controller in ("memory", "pids") for parent, _ in _parents(controller)]:
        for name in _names(parent):
            if name.startswith(prefix) and not record.is_locked(os.path.join(containers, name[len(prefix) :])):
                with contextlib.suppress(OSError):
                    os.rmdir(os.path.join(parent, name))


def _wanted(launch: Launch) -> Iterator[Tuple[str, Tuple[Dict[str, str], Dict[str, str]]]]:
    """Controllers, each with its settings in version 1 and in version 2."""
    memory, processes = launch["limits"]["memory_bytes"], launch["limits"]["processes"]
    is_root = launch["identity"]["base"] == 0  # to whom the kernel does not apply RLIMIT_NPROC
    if memory is not None:
        yield "memory", ({"memory.limit_in_bytes": str(memory)}, {"memory.max": str(memory), "memory.swap.max": "0"})
    if processes is not None and is_root:
        yield "pids", ({"pids.max": str(processes)}, {"pids.max": str(processes)})


def _parents(controller: str) -> List[Tuple[str, int]]:
    """Where a group for the controller may be made, and the version of the hierarchy."""
    own = _own_groups()
    version_1 = os.path.join(_ROOT, controller)
    found = []
    if os.path.isdir(version_1):
        found.append((version_1 + own.get(controller, "/").rstrip("/"), 1))
    for mount in (_ROOT, os.path.join(_ROOT, "unified")):
        parent = mount + own.get("", "/").rstrip("/")
        if controller in " ".join(_lines(os.path.join(parent, "cgroup.subtree_control"))).split():
            found.append((parent, 2))
    return [(parent, version) for parent, version in found if os.access(parent, os.W_OK)]


def _own_groups() -> Dict[str, str]:
    groups = {}
    for line in _lines("/proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            groups[controller] = path
    return groups


def _make(folder: str, settings: Dict[str, str]) -> bool:
    try:
        os.makedirs(folder, exist_ok=True)
        for name, value in settings.items():
            if name != "memory.swap.max" or os.path.exists(os.path.join(folder, name)):
                _write(os.path.join(folder, name), value)
    except OSError:
        with contextlib.suppress(OSError):
            os.rmdir(folder)
        return False
    return True


def _write(path: str, text: str) -> None:
    with open(path, "wb") as file:
        file.write(text.encode())


def _lines(path: str) -> List[str]:
    try:
        with open(path, "rb") as file:
            return file.read().decode().splitlines()
    except OSError:
        return []


def _names(folder: str) -> List[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
