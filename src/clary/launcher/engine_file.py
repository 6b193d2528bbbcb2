"""Podman's log file of a container, read as it grows: its API drops what was printed last where much is printed.

One line per piece: time, `stdout` or `stderr`, `F` (full) or `P` (the line goes on), text
(https://github.com/containers/podman/blob/main/docs/source/markdown/options/log-driver.md, `k8s-file`).
"""

# ruff: noqa: PTH123
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import array
import fcntl
import os
import stat
import termios
import time
from typing import Callable, Iterator, List, Tuple

_NAME = "/ctr.log"
_PIECE = 2**20
_PAUSE = 0.05


def is_settled(pid: int) -> bool:
    """Whether all that the container with the first process `pid` has printed is in its file: nothing is in its pipes,
    and Podman's `conmon`, its parent, waits for more. Raises OSError where this user may not see that."""
    for stream in ("1", "2"):
        descriptor = os.open("/proc/{}/fd/{}".format(pid, stream), os.O_RDONLY | os.O_NONBLOCK)
        try:
            if _waiting(descriptor):
                return False
        finally:
            os.close(descriptor)
    return _state(_parent(pid)) == b"S"


def _waiting(descriptor: int) -> int:
    """Bytes in a pipe; none in anything else."""
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return 0
    held = array.array("i", [0])
    fcntl.ioctl(descriptor, termios.FIONREAD, held)
    return held[0]


def _state(pid: int) -> bytes:
    return _fields(pid)[0]


def _parent(pid: int) -> int:
    return int(_fields(pid)[1])


def _fields(pid: int) -> List[bytes]:
    with open("/proc/{}/stat".format(pid), "rb") as file:
        return file.read().rpartition(b")")[2].split()[:2]


def is_readable(path: str) -> bool:
    """Whether this is such a file, and this user may read it."""
    return path.endswith(_NAME) and os.access(path, os.R_OK)


class LogFile:
    """The file at `path`; `is_over` says when nothing comes any more."""

    def __init__(self, path: str, is_over: Callable[[], bool], pause: Callable[[float], None] = time.sleep) -> None:
        self._path = path
        self._is_over = is_over
        self._pause = pause

    def pieces(self) -> Iterator[List[Tuple[int, bytes]]]:
        """As of an engine's stream. Raises OSError where the file goes away."""
        with open(self._path, "rb", buffering=0) as file:
            rest = b""
            while True:
                over = self._is_over()
                data = file.read(_PIECE)
                if data:
                    *lines, rest = (rest + data).split(b"\n")
                    yield [_piece(line) for line in lines]
                elif over:
                    return
                else:
                    self._pause(_PAUSE)


def _piece(line: bytes) -> Tuple[int, bytes]:
    _, stream, kind, text = line.split(b" ", 3)
    return 2 if stream == b"stderr" else 1, text + b"\n" if kind == b"F" else text
