"""A running container as the data plane of functions reaches it: its port, its end, and nothing that starts one."""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from clary.compute import record, shims
from clary.compute.base import folder
from clary.compute.dial import SandboxDial

_SECONDS = 5.0
_PAUSE = 0.002


@dataclass(frozen=True)
class Ended:
    """How a container ended; see `compute.base.Exited`."""

    code: int
    signal: int | None
    out_of_memory: bool
    reason: str


class SandboxReach:
    """Safe in threads."""

    def __init__(self, containers_dir: Path) -> None:
        self._containers_dir = containers_dir
        self._dial = SandboxDial(containers_dir)

    def dial(self, container: str) -> socket.socket:
        """As `compute.base.Dial`."""
        return self._dial(container)

    def kill(self, container: str) -> None:
        """SIGKILL for all of it, by its shim; returns when nothing of it runs, or after 5 seconds."""
        place = folder(self._containers_dir, container)
        with contextlib.suppress(OSError), shims.connect(place, _SECONDS) as shim:
            shims.ask(shim, {"op": "kill"})
        end = time.monotonic() + _SECONDS
        while record.is_locked(str(place)) and time.monotonic() < end:
            time.sleep(_PAUSE)

    def ending(self, container: str) -> Ended | None:
        """How it ended: waits a moment for one that is about to say so. None while it runs, or where nobody knows."""
        place = str(folder(self._containers_dir, container))
        ended = record.read(place, record.EXIT)
        if ended is None:
            return None
        return Ended(ended["code"], ended["signal"], ended["oom"], ended["reason"])
