"""Keeps the processes of one Clary running until it is told to stop. Short and boring on purpose."""

from __future__ import annotations

import math
import select
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from clary.errors import ClaryError
from clary.supervisor.child import SLOW, Child, now
from clary.supervisor.tether import Held

START_ATTEMPTS = 3
"""A process that ends so often before Clary was ever ready is given up: `clary up` says so instead of trying on."""

DRAIN = 8.0
"""Seconds that a process has to finish what it is answering."""

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Supervisor:
    """`run` returns when it was told to stop; raises ClaryError where Clary cannot be started."""

    def __init__(
        self, children: Sequence[Child], on_ready: Callable[[], None], notice: Callable[[str], None], log: Path
    ) -> None:
        self._children = children
        self._log = log
        self._on_ready = on_ready
        self._notice = notice
        self._was_ready = False
        self._stop = False
        self._wake, self._woken = socket.socketpair()

    def run(self) -> None:
        """Start all, keep them, and end them in reverse order."""
        self._catch_signals()
        try:
            while not self._stop:
                self._turn()
        finally:
            self._end_all()

    def _turn(self) -> None:
        self._start_due()
        self._wait()
        for child in self._children:
            child.listen()
            self._look_after(child)
            self._mention_late(child)
        if not self._was_ready and all(child.ready for child in self._children):
            self._was_ready = True
            self._on_ready()

    def _start_due(self) -> None:
        for child in self._children:
            if not child.alive and child.due <= now():
                self._start(child)

    def _start(self, child: Child) -> None:
        try:
            child.start(now())
        except OSError as error:
            if not self._was_ready and child.fails >= START_ATTEMPTS:
                what = f"The process '{child.program.name}' does not start: {error.strerror}."
                raise ClaryError(what, f"See {self._log}.") from error
            self._notice(f"{child.program.name} could not be started ({error.strerror}); it is tried again")

    def _wait(self) -> None:
        watched: list[Held | socket.socket] = [tether for child in self._children for tether in child.watched()]
        moment = min(child.late if child.alive else child.due for child in self._children)
        timeout = max(0.0, moment - now()) if moment < math.inf else None
        select.select([self._woken, *watched], [], [], timeout)
        self._drain_wakeups()

    def _look_after(self, child: Child) -> None:
        code = child.reap(now())
        if code is None:
            return
        if not self._was_ready and (child.failure or child.fails >= START_ATTEMPTS):
            raise self._cannot_start(child, code)
        self._notice(f"{child.program.name} ended ({ending(code)}); it is started again")

    def _mention_late(self, child: Child) -> None:
        """Once for each start."""
        if child.late <= now():
            child.late = math.inf
            self._notice(f"{child.program.name} is not ready after {SLOW:.0f} s; {self._log} says where it is")

    def _cannot_start(self, child: Child, code: int) -> ClaryError:
        if child.failure:
            return ClaryError(child.failure)
        what = f"The process '{child.program.name}' does not start ({ending(code)})."
        return ClaryError(what, f"Its last words stand in {self._log}.")

    def _end_all(self) -> None:
        for child in reversed(self._children):
            child.ask_to_end()
            child.end(DRAIN)

    def _catch_signals(self) -> None:
        self._woken.setblocking(False)
        self._wake.setblocking(False)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in _STOP_SIGNALS:
            signal.signal(number, self._on_stop)

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop = True

    def _drain_wakeups(self) -> None:
        try:
            self._woken.recv(4096)
        except BlockingIOError:
            return


def ending(code: int) -> str:
    """How a process ended, in words."""
    return f"signal {-code}" if code < 0 else f"exit code {code}"
