"""A container's folder: which files stand in it, and what they say of its life.

    launch.json  what to run, complete (written before the launcher is asked)
    lock         held by its shim as long as the container lives; an open-file-description lock, so the kernel frees it
    handle.json  written before the program begins: {id, pid, start, boot, since, protocol}
    sock         where the shim listens: dial, stop, kill, watch, usage
    exit.json    how it ended, fsynced and renamed: {code, signal, oom, reason, at, since}
    root/        where the container's own root is mounted, for itself alone
    tmp/ home/   what it wrote to /tmp and /root
    shim.log     what the shim itself had to say; empty unless something is wrong

exit.json there → Exited. Else lock held → Running. Else handle.json there → Lost. Else it never began: Absent.

The standard library only, for Pythons of 3.8 and later: the launcher and every warm parent read this file too.
"""

# ruff: noqa: PTH104, PTH118, PTH123
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import fcntl
import json
import os
import struct
import zlib
from typing import Any

PROTOCOL = 1

LAUNCH = "launch.json"
LOCK = "lock"
HANDLE = "handle.json"
SOCKET = "sock"
EXIT = "exit.json"
ROOT = "root"
SHIM_LOG = "shim.log"

LEFT = "left-in-engine"
"""Beside the folder of all containers: an engine has something of one that has ended."""

_F_OFD_GETLK = 36
_F_OFD_SETLK = 37
_FLOCK = struct.Struct("@hhqqi4x")  # struct flock of 64-bit Linux: l_type, l_whence, l_start, l_len, l_pid


def prefix(containers: str) -> str:
    """What names begin with that a machine has only once (control groups, an engine's containers and networks): several
    Clarys share one host, and each knows its own. `containers` is the folder of all container folders."""
    path = os.path.realpath(containers).encode()
    return f"clary-{zlib.crc32(path):08x}{zlib.adler32(path):08x}-"


def take_lock(folder: str, name: str = LOCK) -> int | None:
    """A descriptor that holds the container's lock, or another of its folder, or None where somebody else holds it.

    The lock belongs to the open file: it lasts until every process that inherited or was sent the descriptor is gone.
    """
    descriptor = os.open(os.path.join(folder, name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.fcntl(descriptor, _F_OFD_SETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_locked(folder: str, name: str = LOCK) -> bool:
    """Whether somebody holds the lock; asking never takes it."""
    try:
        descriptor = os.open(os.path.join(folder, name), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        answer = fcntl.fcntl(descriptor, _F_OFD_GETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
        return bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)
    finally:
        os.close(descriptor)


def read(folder: str, name: str) -> dict[str, Any] | None:
    """A record of the folder, or None where it is not there."""
    try:
        with open(os.path.join(folder, name), "rb") as file:
            loaded: dict[str, Any] = json.loads(file.read().decode())
            return loaded
    except (FileNotFoundError, NotADirectoryError):
        return None


def write(folder: str, name: str, record: dict[str, Any], durable: bool = True) -> None:
    """Put a record in place by rename: a reader sees all of it or nothing; `durable` survives a power failure."""
    fresh = os.path.join(folder, f"{name}.{os.urandom(6).hex()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(json.dumps(record).encode())  # at once: `json.dump` encodes piece by piece, twenty times as slowly
        file.flush()
        if durable:
            os.fsync(file.fileno())
    os.rename(fresh, os.path.join(folder, name))
    if durable:
        _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
