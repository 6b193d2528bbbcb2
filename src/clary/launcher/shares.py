"""Which cores and accelerators each container has, so that no two share one while another is idle."""

# ruff: noqa: PTH118, PTH208
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import os
import re
from collections import Counter
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence

from clary.compute import record
from clary.compute.launch import Launch

_NUMBERED = re.compile(r"/dev/nvidia([0-9]+)")


class Share(NamedTuple):
    """Numbers of cores and of accelerators; no cores means all that there are."""

    cores: List[int]
    gpus: List[int]


NONE = Share([], [])


class Shares:
    """What the living containers below `containers` hold; they say it in their handles, for a launcher started anew."""

    def __init__(self, containers: str) -> None:
        self._containers = containers
        self._held: Optional[Dict[str, Share]] = None

    def take(self, folder: str, launch: Launch) -> Share:
        """Those that the fewest others have."""
        limits, allowed = launch["limits"], sorted(os.sched_getaffinity(0))
        few = limits["cpus"] is not None and 0 < limits["cpus"] < len(allowed)
        if not few and not limits["gpus"]:
            return NONE
        held = self._living()
        cores = least_used(allowed, (share.cores for share in held.values()), limits["cpus"] or 0) if few else []
        gpus = least_used(gpus_of(launch), (share.gpus for share in held.values()), limits["gpus"])
        held[folder] = Share(cores, gpus)
        return held[folder]

    def _living(self) -> Dict[str, Share]:
        found = self._remembered() if self._held is None else self._held
        self._held = {folder: share for folder, share in found.items() if record.is_locked(folder)}
        return self._held

    def _remembered(self) -> Dict[str, Share]:
        folders = (os.path.join(self._containers, name) for name in os.listdir(self._containers))
        return {folder: of_handle(record.read(folder, record.HANDLE)) for folder in folders}


def least_used(numbers: Sequence[int], held: Iterable[Sequence[int]], count: int) -> List[int]:
    """`count` of the numbers, as many as there are, in the order of how many others hold them."""
    users = Counter(number for share in held for number in share)
    return sorted(sorted(numbers, key=lambda number: (users[number], number))[:count])


def of_handle(handle: Optional[Dict[str, Any]]) -> Share:
    """What a container's handle says that it has."""
    return Share(handle.get("cores", []), handle.get("gpus", [])) if handle else NONE


def gpus_of(launch: Launch) -> List[int]:
    """Numbers of the accelerators among a container's mounts."""
    found = (_NUMBERED.fullmatch(entry["source"]) for entry in launch["mounts"])
    return [int(match.group(1)) for match in found if match]


def without_others(launch: Launch, gpus: Sequence[int]) -> None:
    """Take the accelerators that are not the container's out of its mounts."""
    launch["mounts"] = [entry for entry in launch["mounts"] if not _is_others(entry["source"], gpus)]


def _is_others(source: str, gpus: Sequence[int]) -> bool:
    match = _NUMBERED.fullmatch(source)
    return match is not None and int(match.group(1)) not in gpus
