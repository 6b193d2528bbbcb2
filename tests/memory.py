"""Where tests write: in memory, where this machine has room.

A Clary waits for its disk at every write that it acknowledges, and thousands of tests do nothing else for milliseconds
each. What a killed process has written stays in memory too; what a machine without power loses is proved by no test.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
TEMPORARY = "PYTEST_DEBUG_TEMPROOT"
"""Where pytest makes the folders of a run, a variable of its own. Workers and started programs inherit it."""
GIB = 2**30
ROOM = 6 * GIB
"""Free in that filesystem: a whole run by three workers had 2 GiB in it at once."""
SPARE = 10 * GIB
"""Free on the machine: what is written there, and three workers with what they start."""


def chosen() -> str | None:
    """Where folders are made that pytest does not make; None for the usual place."""
    return os.environ.get(TEMPORARY)


def place(folder: Path = MEMORY, meminfo: Path = Path("/proc/meminfo")) -> Path | None:
    """The folder, or None where it is too small, refuses programs, or lacks attributes, which overlays need."""
    fits = os.access(folder, os.W_OK | os.X_OK) and _room(folder) and _available(meminfo) >= SPARE
    return folder if fits and _keeps_attributes(folder) else None


def _room(folder: Path) -> bool:
    said = os.statvfs(folder)
    return said.f_bavail * said.f_frsize >= ROOM and not said.f_flag & os.ST_NOEXEC


def _available(meminfo: Path) -> int:
    """In bytes; 0 where nothing says so."""
    with contextlib.suppress(OSError):
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 0


def _keeps_attributes(folder: Path) -> bool:
    with tempfile.NamedTemporaryFile(dir=folder) as file, contextlib.suppress(OSError):
        os.setxattr(file.name, "user.clary", b"1")
        return True
    return False
