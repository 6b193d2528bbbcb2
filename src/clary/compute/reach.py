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
from clary.compute.launch import GO_ON, STOP_ALL

_SECONDS = 5.0
_KILL_SECONDS = 20.0  # an engine takes its time
_PAUSE = 0.002


@dataclass(frozen=True)
class Ended:
    """How a container ended; see `compute.base.Exited`."""

    code: int
    signal: int | None
    out_of_memory: bool
    reason: str


class Freezer:
    """Stops all of a container and lets it go on, within some 0.1 ms; neither waits. When it is closed, or whoever has
    it ends, everything goes on."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._line.setblocking(False)

    def stop(self) -> None:
        """Nothing inside runs."""
        self._say(STOP_ALL)

    def go(self) -> None:
        """Everything goes on where it was."""
        self._say(GO_ON)

    def close(self) -> None:
        """It is not stopped any more; idempotent."""
        self._line.close()

    def _say(self, word: bytes) -> None:
        with contextlib.suppress(OSError):  # the container has ended: nothing in it runs
            self._line.send(word)


class SandboxReach:
    """Safe in threads."""

    def __init__(self, containers_dir: Path) -> None:
        self._containers_dir = containers_dir
        self._dial = SandboxDial(containers_dir)

    def dial(self, container: str) -> socket.socket:
        """As `compute.base.Dial`."""
        return self._dial(container)

    def freezer(self, container: str) -> Freezer | None:
        """None where containers cannot be stopped, and where it is gone."""
        try:
            with shims.connect(folder(self._containers_dir, container), _SECONDS) as shim:
                shims.ask(shim, {"op": "freezer"})
                _, descriptors = shims.answer(shim)
        except OSError:
            return None
        return Freezer(socket.socket(fileno=descriptors[0])) if descriptors else None

    def kill(self, container: str, grace: float) -> None:
        """SIGKILL for all of it, by its shim or keeper, where it has not ended by itself within `grace` seconds.

        Returns when nothing of it runs, or 20 seconds after the signal.
        """
        place = folder(self._containers_dir, container)
        if _has_ended(place, grace):
            return
        with contextlib.suppress(OSError), shims.connect(place, _SECONDS) as shim:
            shims.ask(shim, {"op": "kill"})
        _has_ended(place, _KILL_SECONDS)

    def ending(self, container: str) -> Ended | None:
        """How it ended. None while it runs, or where nobody knows."""
        place = str(folder(self._containers_dir, container))
        ended = record.read(place, record.EXIT)
        if ended is None:
            return None
        return Ended(ended["code"], ended["signal"], ended["oom"], ended["reason"])


def _has_ended(place: Path, seconds: float) -> bool:
    """Whether nothing of a container runs any more; looks for so many seconds."""
    end = time.monotonic() + seconds
    while record.is_locked(str(place)):
        if time.monotonic() >= end:
            return False
        time.sleep(_PAUSE)
    return True
