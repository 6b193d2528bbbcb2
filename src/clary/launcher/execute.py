"""Becoming a program of its own: the cold way to begin a container."""

from __future__ import annotations

import os
import socket

from clary.compute.launch import Launch
from clary.launcher import messages, process


def begin(launch: Launch, output: int, channel: socket.socket) -> None:
    """Execute the container's argv; returns never. A program that cannot begin is told to the shim, as a shell's 126 or
    127."""
    try:
        process.wire_streams(output)
        process.limit(launch["limits"])
        os.chdir(launch["workdir"])
        os.execvpe(launch["argv"][0], launch["argv"], launch["env"])  # noqa: S606  argv is a list
    except (OSError, ValueError) as error:
        messages.send(channel, {"failed": _text(launch["argv"][0], error)})
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


def _text(program: str, error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is None:
        return "{}: {}".format(program, error.strerror)
    return str(error)
