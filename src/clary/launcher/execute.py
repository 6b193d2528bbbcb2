"""Becoming a program of its own: the cold way to begin a container, and the only one for what runs beside."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import termios
from typing import Dict, List, NoReturn

from clary.compute.launch import Launch
from clary.launcher import messages, process


def begin(launch: Launch, output: int, channel: socket.socket) -> None:
    """Execute the container's argv; returns never. A program that cannot begin is told to the shim, as a shell's 126 or
    127."""
    try:
        process.wire_streams(output)
        _execute(launch, launch["argv"], launch["env"])
    except (OSError, ValueError) as error:
        messages.send(channel, {"failed": _text(launch["argv"][0], error)})
        os._exit(_code(error))


def beside(launch: Launch, argv: List[str], streams: List[int], env: Dict[str, str]) -> NoReturn:
    """Execute another program as the container's own would be, in a session of its own, with these descriptors as its
    streams; that it cannot begin is written to the last of them."""
    try:
        process.default_signals()
        os.setsid()
        for number, descriptor in enumerate([process.above_streams(descriptor) for descriptor in streams]):
            os.dup2(descriptor, number)
        process.keep_only([])
        if os.isatty(0):
            with contextlib.suppress(OSError):  # it may be the terminal of another session
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        _execute(launch, argv, {**launch["env"], **env})
    except (OSError, ValueError) as error:
        with contextlib.suppress(OSError):
            os.write(2, "{}\n".format(_text(argv[0], error)).encode())
        os._exit(_code(error))


def _execute(launch: Launch, argv: List[str], env: Dict[str, str]) -> NoReturn:
    process.limit(launch["limits"])
    os.chdir(launch["workdir"])
    os.execvpe(argv[0], argv, env)  # noqa: S606  argv is a list


def _code(error: Exception) -> int:
    return 127 if isinstance(error, FileNotFoundError) else 126


def _text(program: str, error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is None:
        return "{}: {}".format(program, error.strerror)
    return str(error)
