"""One process under supervision: started, listened to, started again with a growing pause, ended."""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from clary.supervisor.programs import Program
from clary.supervisor.tether import Held, pair

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 10.0
SLOW = 40.0
"""Seconds in which a process is ready on a machine that has much else to do. After as many it says where it is."""

STEADY = 10.0
"""Seconds alive after which a process counts as sound: its next end is the first again."""


@dataclass
class Child:
    """A program and its present process, if any. Times are of the monotonic clock."""

    program: Program
    log: int
    ready: bool = False
    failure: str = ""
    """Why it can never start, in its own words."""
    fails: int = 0
    """Ends in a row without a steady time between."""
    due: float = 0.0
    """When it may be started (again)."""
    late: float = math.inf
    """When somebody is to be told that it is not ready."""
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _tether: Held | None = field(default=None, repr=False)
    _started: float = 0.0

    @property
    def alive(self) -> bool:
        """Whether it has a process that has not been seen to end."""
        return self._process is not None

    @property
    def pid(self) -> int:
        """Zero where it has none."""
        return self._process.pid if self._process else 0

    def start(self, now: float) -> None:
        """Start it in a session of its own: a terminal's Ctrl-C is the supervisor's to act on. Raises OSError where the
        machine has no room for one process more; it is due again then."""
        try:
            self._begin()
        except OSError:
            self._forget()
            self.fails += 1
            self.due = now + max(FIRST_PAUSE, pause(self.fails))
            raise
        self._started = now
        self.ready = not self.program.tethered
        self.late = now + SLOW

    def _begin(self) -> None:
        if self.program.tethered:
            self._tether, theirs = pair()
            with theirs:
                self._spawn(["--tether-fd", str(theirs.fileno())], [theirs.fileno()], None)
        else:
            self._spawn([], [], _end_with_parent)

    def _spawn(self, arguments: list[str], descriptors: list[int], prepare: Callable[[], None] | None) -> None:
        self._process = subprocess.Popen(
            [*self.program.argv, *arguments],
            env=dict(self.program.env),
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            pass_fds=[*descriptors, *(each.fileno() for each in self.program.sockets)],
            start_new_session=True,
            preexec_fn=prepare,  # noqa: PLW1509 — the supervisor has one thread
        )

    def listen(self) -> None:
        """Take in what it has said."""
        for word in self._tether.words() if self._tether else ():
            self.ready = self.ready or word.ready
            self.failure = word.failure or self.failure
        if self.ready:
            self.late = math.inf

    def reap(self, now: float) -> int | None:
        """How it ended (`-N` for signal N), where it has since the last look; sets when it is due again."""
        code = self._process.poll() if self._process else None
        if code is None:
            return None
        self.listen()
        self._forget()
        self.fails = 1 if now - self._started >= STEADY else self.fails + 1
        self.due = now + pause(self.fails)
        return code

    def ask_to_end(self) -> None:
        """SIGTERM: finish what is being answered, then go."""
        if self._process:
            self._process.terminate()

    def end(self, grace: float) -> None:
        """Wait `grace` seconds for the process to go, then end it; its whole group, where it has made one."""
        if self._process is None:
            return
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._forget()

    def watched(self) -> list[Held]:
        """What a selector should watch for this child."""
        return [self._tether] if self._tether and self._tether.open else []

    def _forget(self) -> None:
        if self._tether:
            self._tether.close()
        self._process, self._tether, self.ready, self.late = None, None, False, math.inf


def _end_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def pause(fails: int) -> float:
    """Seconds before the next start: none after a first end, then doubling."""
    if fails <= 1:
        return 0.0
    return float(min(FIRST_PAUSE * 2 ** min(fails - 2, 16), LONGEST_PAUSE))


def now() -> float:
    """The supervisor's clock."""
    return time.monotonic()
