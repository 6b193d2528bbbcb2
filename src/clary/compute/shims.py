"""Talking to a container's shim: short messages, with descriptors beside them, on the socket in its folder."""

from __future__ import annotations

import array
import json
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clary.compute import record

_MAX_MESSAGE = 65_536


def connect(folder: Path, seconds: float) -> socket.socket:
    """A connection to the shim, with a time limit on each of its operations.

    Raises FileNotFoundError where the container has gone or was never there.
    """
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        sock.settimeout(seconds)
        # A socket's address holds 107 bytes, a data folder's path may be longer: go by the descriptor.
        sock.connect(f"/proc/self/fd/{directory}/{record.SOCKET}")
    except ConnectionError as gone:
        sock.close()
        raise FileNotFoundError(f"container {folder.name} has ended") from gone
    except BaseException:
        sock.close()
        raise
    finally:
        os.close(directory)
    return sock


def ask(sock: socket.socket, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send one request. Raises FileNotFoundError where the container has ended meanwhile."""
    try:
        socket.send_fds(sock, [json.dumps(message).encode()], descriptors, socket.MSG_NOSIGNAL)
    except ConnectionError as gone:
        raise FileNotFoundError("the container has ended") from gone


def answer(sock: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The answer to one request, and the descriptors beside it (close-on-exec). Raises FileNotFoundError where the
    container has ended meanwhile."""
    ancillary_size = socket.CMSG_SPACE(array.array("i").itemsize)
    try:
        data, ancillary, _, _ = sock.recvmsg(_MAX_MESSAGE, ancillary_size, socket.MSG_CMSG_CLOEXEC)
    except ConnectionError:
        data, ancillary = b"", []
    if not data:
        raise FileNotFoundError("the container has ended")
    descriptors = array.array("i")
    for _, _, payload in ancillary:
        descriptors.frombytes(payload)
    return json.loads(data), list(descriptors)
