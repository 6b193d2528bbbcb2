"""Small JSON messages, with file descriptors beside them, over Unix sockets that keep message boundaries."""

from __future__ import annotations

import array
import json
import os
import socket
from typing import Any, Dict, List, Optional, Sequence, Tuple

_MAX_MESSAGE = 65_536
_MAX_DESCRIPTORS = 128  # one per mount, at most

Message = Dict[str, Any]


def pair() -> Tuple[socket.socket, socket.socket]:
    """Two connected ends; neither survives an exec."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(sock: socket.socket, message: Message, descriptors: Sequence[int] = ()) -> None:
    """Send one message. Raises OSError where the other end is gone."""
    ancillary: List[Tuple[int, int, Any]] = []
    if descriptors:
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
    sock.sendmsg([json.dumps(message).encode()], ancillary, socket.MSG_NOSIGNAL)


def fits(message: Message) -> bool:
    """Whether the other end receives all of it."""
    return len(json.dumps(message)) <= _MAX_MESSAGE


def receive(sock: socket.socket) -> Tuple[Message, List[int]]:
    """The next message and its descriptors (close-on-exec). Raises EOFError where the other end is gone, ValueError
    where it sent no message."""
    size = array.array("i").itemsize * _MAX_DESCRIPTORS
    try:
        data, ancillary = _received(sock, _MAX_MESSAGE, size)
    except ConnectionError as error:
        raise EOFError from error
    descriptors = _descriptors(ancillary)
    if not data:
        raise EOFError
    message = _parsed(data)
    if message is None:
        close_all(descriptors)
        raise ValueError("not a message: {!r}".format(data[:80]))
    return message, descriptors


def _received(sock: socket.socket, size: int, ancillary_size: int) -> Tuple[bytes, List[Tuple[int, int, bytes]]]:
    """The next message of a Unix socket. An end that closes with messages unread resets the connection, and Linux tells
    that once, before what the end had said itself."""
    room = socket.CMSG_SPACE(ancillary_size)
    try:
        data, ancillary, _, _ = sock.recvmsg(size, room, socket.MSG_CMSG_CLOEXEC)
    except ConnectionResetError:
        data, ancillary, _, _ = sock.recvmsg(size, room, socket.MSG_CMSG_CLOEXEC)
    return data, ancillary


def _parsed(data: bytes) -> Optional[Message]:
    """What was sent, unless it is no message, or was longer than one may be."""
    try:
        message = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _descriptors(ancillary: Sequence[Tuple[int, int, bytes]]) -> List[int]:
    found = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return list(found)


def close_all(descriptors: Sequence[int]) -> None:
    """Close descriptors that nobody wants."""
    for descriptor in descriptors:
        os.close(descriptor)
