"""Warm parents: one process per environment in use that has imported its packages and waits to be forked."""

# ruff: noqa: PTH100, PTH118, PTH120
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import os
import socket
import subprocess
import time
from typing import Callable, Dict, List, Optional

from clary.compute.launch import Program
from clary.launcher import messages
from clary.launcher.start import Start

_MOST = 4  # each holds some 100 MB of imported packages
_RETRY_SECONDS = 60.0
_HUGE_PAGES = "glibc.malloc.hugetlb=1"
"""Imported packages on huge pages, where the kernel has some: a fork copies a third of the page tables."""


class WarmParent:
    """One of them, seen from the launcher. `waiting` are the containers that it has not taken yet."""

    def __init__(self, process: subprocess.Popen[bytes], channel: socket.socket) -> None:
        self.process = process
        self.channel = channel
        self.waiting: List[Start] = []
        self.used = time.monotonic()

    def give(self, start: Start) -> bool:
        """Ask it to fork this container; False where it cannot be asked."""
        try:
            messages.send(
                self.channel, {"start": start.folder, "share": start.share}, [start.lock, start.listener.fileno()]
            )
        except OSError:
            return False
        self.waiting.append(start)
        self.used = time.monotonic()
        return True


class WarmParents:
    """All of them, by key. `idle_seconds` after its last use one is let go; `on_new` and `on_gone` follow channels."""

    def __init__(self, api_socket: str, idle_seconds: float) -> None:
        self._api_socket = api_socket
        self._idle_seconds = idle_seconds
        self._parents: Dict[str, WarmParent] = {}
        self._failed: Dict[str, float] = {}
        self.on_new: Callable[[WarmParent], None] = lambda parent: None
        self.on_gone: Callable[[WarmParent], None] = lambda parent: None

    def start(self, program: Program, start: Start) -> bool:
        """Have the program's warm parent fork `start`, once it is ready. False where there is none to be had."""
        parent = self._parents.get(program["key"]) or self._create(program)
        return parent is not None and parent.give(start)

    def heard(self, parent: WarmParent) -> List[Start]:
        """Read what a parent said; the answer is what must be started otherwise, since the parent has gone."""
        try:
            message, descriptors = messages.receive(parent.channel)
        except EOFError:
            return self._bury(parent)
        messages.close_all(descriptors)
        taken = [start for start in parent.waiting if start.folder == message.get("taken")]
        for start in taken:
            parent.waiting.remove(start)
            start.close()
        return []

    def retire_idle(self) -> None:
        """Let go of those that nobody has used for long."""
        now = time.monotonic()
        for key, parent in list(self._parents.items()):
            if not parent.waiting and now - parent.used > self._idle_seconds:
                self._retire(key)

    def _create(self, program: Program) -> Optional[WarmParent]:
        key = program["key"]
        if self._failed.get(key, 0.0) > time.monotonic() or not self._make_room():
            return None
        mine, theirs = messages.pair()
        mine.setblocking(False)
        try:
            process = _spawn(program, theirs, self._api_socket)
        except OSError:
            self._failed[key] = time.monotonic() + _RETRY_SECONDS
            mine.close()
            return None
        finally:
            theirs.close()
        parent = self._parents[key] = WarmParent(process, mine)
        self.on_new(parent)
        return parent

    def _make_room(self) -> bool:
        if len(self._parents) < _MOST:
            return True
        idle = [(parent.used, key) for key, parent in self._parents.items() if not parent.waiting]
        if idle:
            self._retire(min(idle)[1])
        return bool(idle)

    def _retire(self, key: str) -> None:
        parent = self._parents.pop(key)
        self.on_gone(parent)
        parent.channel.close()  # it reads the end, and goes

    def _bury(self, parent: WarmParent) -> List[Start]:
        key = next((key for key, value in self._parents.items() if value is parent), None)
        if key is not None:
            self._failed[key] = time.monotonic() + _RETRY_SECONDS
            self._retire(key)
        return parent.waiting


def _spawn(program: Program, channel: socket.socket, api_socket: str) -> subprocess.Popen[bytes]:
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "warm.py")
    return subprocess.Popen(
        [program["python"], "-s", script, str(channel.fileno()), api_socket, *program["preload"]],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "GLIBC_TUNABLES": _HUGE_PAGES, **program["startup"]},
        stdin=subprocess.DEVNULL,
        pass_fds=[channel.fileno()],
        cwd="/",
    )
