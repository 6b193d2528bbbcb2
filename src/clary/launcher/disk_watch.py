"""The launcher's eye on the disk: before it is full, the container that has written most is ended.

A full disk would take the server and every neighbour along. No shim can tell by itself whose fault it is; the launcher
knows all containers. Counting files takes time, so a process of its own does it, only when it has come to that.
"""

# ruff: noqa: PTH103, PTH118, PTH120, PTH208
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from typing import Any, List, Optional, Tuple

from clary.compute import record
from clary.compute.launch import Launch
from clary.launcher import disk, messages
from clary.launcher.guards import Verdict

FLOOR_BYTES = 512 * 2**20
"""What is kept free for the server; less on a disk of less than 25 GB: a fiftieth of it."""

_BLAMELESS_BYTES = 32 * 2**20

_FASTEST = 1e9  # bytes per second that a disk may be filled with
_SOONEST_SECONDS = 0.1
_LATEST_SECONDS = 2.0
_RECOUNT_SECONDS = 30.0  # others may free what this one fills
_AGAIN_SECONDS = 3.0  # until what was ended has gone from the disk

REASON = (
    "No space left on device: the disk had {free} MB free, and this container had written {used} MB, "
    "more than any other; it was ended before the disk was full"
)


class DiskWatch:
    """Looks at the file system of `containers` when `due`; keeps `floor` bytes of it free (None: FLOOR_BYTES)."""

    def __init__(self, containers: str, floor: Optional[int]) -> None:
        self._containers = containers
        os.makedirs(containers, 0o700, exist_ok=True)
        self._floor = _floor(containers) if floor is None else floor
        self.due = 0.0

    def look(self) -> None:
        """Look, and have a culprit found where that is needed."""
        free = disk.free_bytes(self._containers)
        if free < self._floor:
            self.due = time.monotonic() + _AGAIN_SECONDS
            if os.fork() == 0:
                _end_the_largest(self._containers, free, self._floor)
        else:
            seconds = (free - self._floor) / _FASTEST
            self.due = time.monotonic() + min(max(seconds, _SOONEST_SECONDS), _LATEST_SECONDS)


def _floor(path: str) -> int:
    held = os.statvfs(path)
    return min(FLOOR_BYTES, held.f_blocks * held.f_frsize // 50)


def _end_the_largest(containers: str, free: int, floor: int) -> None:
    """In a process of its own. Who has written less than a small part of the floor is not to blame."""
    try:
        found = sorted(_usage(containers))
        if found and found[-1][0] > min(floor // 16, _BLAMELESS_BYTES):
            used, folder = found[-1]
            _end(folder, REASON.format(free=free >> 20, used=min(used, disk.WITHOUT_END) >> 20))
    except Exception as error:
        sys.stderr.write("launcher: the disk is full, and no container was ended: {!r}\n".format(error))
    finally:
        os._exit(0)


def _usage(containers: str) -> List[Tuple[int, str]]:
    found = []
    for folder in (os.path.join(containers, name) for name in os.listdir(containers)):
        launch: Any = record.read(folder, record.LAUNCH)
        if launch and record.is_locked(folder):
            found.append((disk.used_bytes(disk.written(launch)), folder))
    return found


def _end(folder: str, reason: str) -> None:
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    with contextlib.suppress(ConnectionError), socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.settimeout(_AGAIN_SECONDS)
        sock.connect("/proc/self/fd/{}/{}".format(directory, record.SOCKET))
        messages.send(sock, {"op": "kill", "reason": reason, "make_room": True})
        with contextlib.suppress(EOFError):
            messages.receive(sock)  # until it has gone


def _limit_reason(used: int, limit: int) -> str:
    """For a container that has written more than it may."""
    return "No space left on device: the container has written {} MB, and may write {} MB".format(
        min(used, disk.WITHOUT_END) >> 20, limit >> 20
    )


class Quota:
    """A container's own limit, looked at by its shim. Counting costs, so it is done where the disk has lost so much
    since the last time that the limit may have been passed."""

    def __init__(self, launch: Launch, limit: int) -> None:
        self._launch = launch
        self._limit = limit
        self._used = 0
        self._recount = time.monotonic() + _RECOUNT_SECONDS
        self._free = disk.free_bytes(os.path.dirname(launch["root"]))

    def verdict(self) -> Optional[Verdict]:
        """Why it must end, where it must."""
        free, now = disk.free_bytes(os.path.dirname(self._launch["root"])), time.monotonic()
        if self._free - free <= (self._limit - self._used) // 2 and now < self._recount:
            return None
        self._used, self._free, self._recount = (
            disk.used_bytes(disk.written(self._launch)),
            free,
            now + _RECOUNT_SECONDS,
        )
        if self._used <= self._limit:
            return None
        return Verdict(_limit_reason(self._used, self._limit), for_the_disk=True)
