"""A program in a terminal of its own, shown in this one.

The program never holds this terminal itself: what runs in a container could push keys into it (TIOCSTI) that the
user's own shell would read afterwards.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import termios
import threading
import tty
from collections.abc import Callable, Iterator

Streams = tuple[int, int, int]

_PIECE = 65_536
_LAST_WORDS_SECONDS = 0.2
"""What a program has printed is there at once; what it left running may hold the terminal for ever."""


def run(program: Callable[[Streams], int]) -> int:
    """Run `program(streams)`, which returns its exit code, with this process's streams: those that are terminals are
    replaced by a new one, of the same size, that is shown here. Raises what `program` raises."""
    ours = [stream for stream in range(3) if os.isatty(stream)]
    if not ours:
        return program((0, 1, 2))
    leader, follower = pty.openpty()
    streams = tuple(follower if stream in ours else stream for stream in range(3))
    with _like_this_one(ours[0], follower):
        outcome = _Outcome(lambda: program((streams[0], streams[1], streams[2])), follower)
        _show(leader, outcome, typing=0 in ours, screen=ours[-1])
    os.close(leader)
    return outcome.code()


class _Outcome:
    """A program that runs in a thread; `done` becomes readable at its end."""

    def __init__(self, program: Callable[[], int], follower: int) -> None:
        self._program = program
        self._follower = follower
        self._error: Exception | None = None
        self._code = 1
        self.done, self._ending = os.pipe()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            self._code = self._program()
        except Exception as error:
            self._error = error
        finally:
            os.close(self._follower)
            os.close(self._ending)

    def code(self) -> int:
        """Its exit code. Raises what it raised."""
        os.close(self.done)
        if self._error is not None:
            raise self._error
        return self._code


@contextlib.contextmanager
def _like_this_one(terminal: int, follower: int) -> Iterator[None]:
    """Keys go through as they are typed; the new terminal follows the size of this one."""

    def follow(*_: object) -> None:
        fcntl.ioctl(follower, termios.TIOCSWINSZ, fcntl.ioctl(terminal, termios.TIOCGWINSZ, bytes(8)))

    before = termios.tcgetattr(terminal)
    follow()
    earlier = signal.signal(signal.SIGWINCH, lambda *_: _quietly(follow))
    tty.setraw(terminal)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
        signal.signal(signal.SIGWINCH, earlier)


def _quietly(act: Callable[[], None]) -> None:
    with contextlib.suppress(OSError):  # the program has just ended
        act()


def _show(leader: int, outcome: _Outcome, typing: bool, screen: int) -> None:
    """Carry keys in and output out until the program has ended and said all."""
    sources = [leader, outcome.done, *([0] if typing else [])]
    patience: float | None = None
    while True:
        ready, _, _ = select.select(sources, [], [], patience)
        if 0 in ready and typing and not _carry(0, leader):
            sources.remove(0)
            typing = False
        if outcome.done in ready:
            sources.remove(outcome.done)
            patience = _LAST_WORDS_SECONDS
        if leader in ready and not _carry(leader, screen):
            return
        if not ready:
            return


def _carry(source: int, sink: int) -> bool:
    """One piece; False where there is nothing more to come."""
    try:
        data = os.read(source, _PIECE)
        while data:
            data = data[os.write(sink, data) :]
            if not data:
                return True
    except OSError:  # a terminal whose last user has gone is an error to read
        return False
    return False
