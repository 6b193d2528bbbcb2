"""A server's processes: all that come from one command are found and ended, whatever sessions they have made."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_MARK = "CLARY_BENCHMARK"
"""In the environment of each process: what a server's command starts inherits it."""
_END_SECONDS = 10.0
_LAST_CHARACTERS = 2000


class Ended(Exception):
    """A server has ended by itself; the last of its log."""


class Processes:
    """Those of one command."""

    def __init__(self, leader: subprocess.Popen[bytes], mark: str, log: Path) -> None:
        self._leader, self._mark, self._log = leader, mark, log

    def check(self) -> None:
        """Raises Ended."""
        if self._leader.poll() is not None:
            raise Ended(self.said())

    def said(self) -> str:
        """The last of the log."""
        return self._log.read_text(errors="replace")[-_LAST_CHARACTERS:]

    def end(self) -> None:
        """By asking the leader, then by force."""
        self._leader.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._leader.wait(_END_SECONDS)
        while left := list(self.alive()):
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
        self._leader.wait()

    def alive(self) -> Iterator[int]:
        """Process ids: of the leader's session, or with its mark (a process that sets its title may lose that)."""
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                state, session = _state_and_session(folder)
                if state not in "ZX" and (session == self._leader.pid or self._marked(folder)):
                    yield int(folder.name)

    def _marked(self, folder: Path) -> bool:
        return f"{_MARK}={self._mark}".encode() in (folder / "environ").read_bytes().split(b"\0")


def _state_and_session(folder: Path) -> tuple[str, int]:
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    return fields[0], int(fields[3])


@contextmanager
def started(command: Sequence[str | Path], environment: Mapping[str, str], log: Path) -> Iterator[Processes]:
    """Run the command for as long as the block lasts."""
    mark = uuid.uuid4().hex
    with log.open("wb") as lines:
        leader = subprocess.Popen(
            [str(word) for word in command],
            env={**environment, _MARK: mark},
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=lines,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    processes = Processes(leader, mark, log)
    try:
        yield processes
    finally:
        processes.end()
