"""A network of containers: a namespace with a bridge, which lives in the hands of its members' shims.

No process stands for it: a netlink socket keeps its namespace, and each member's shim holds that socket and hands it to
the next that joins. So it comes with the first member, and when the last shim has gone, the kernel takes it away.

    run/networks/            locked while a container joins
    run/networks/NAME/ID     who may be asked

Only who has rights over the network *and* over the newcomer can lay a cable between the two. Root has. For an ordinary
user the network has a user namespace of its own, in which members make theirs: then a shim, as the owner of the outer
one, has rights over both.
"""

# ruff: noqa: PTH103, PTH106, PTH108, PTH118, PTH120, PTH208
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import time
from typing import List, Optional, Tuple

from clary.compute import record
from clary.launcher import confine, messages, netlink, syscalls

_JOIN_SECONDS = 60.0
_ASK_SECONDS = 20.0  # a member's shim has nothing else to do; the machine may have
_PAUSE = 0.005


class Membership:
    """One container's part in its network, from the moment at which it joins: nobody else can until `plug_in`."""

    def __init__(self, lock: int, mark: str, descriptors: List[int]) -> None:
        self._lock = lock
        self._mark = mark
        self.descriptors = descriptors
        """The network's netlink socket and, where it has one of its own, its user namespace."""

    @property
    def user_namespace(self) -> Optional[int]:
        """In which the container must make its own."""
        return self.descriptors[1] if len(self.descriptors) > 1 else None

    def plug_in(self, namespace: int) -> None:
        """Give the container with this network namespace its cable; the next may join."""
        with socket.socket(fileno=os.dup(self.descriptors[0])) as sock:
            netlink.plug_in(sock, "v" + os.urandom(6).hex(), namespace)
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def leave(self) -> None:
        """The container has ended."""
        messages.close_all([self._lock, *self.descriptors])
        with contextlib.suppress(OSError):  # others are still there, or the data folder has gone
            os.unlink(self._mark)
            os.rmdir(os.path.dirname(self._mark))


def join(folder: str, name: str, ranged: bool) -> Membership:
    """Make the container of this folder a member of the network, which is made where nobody lives who has it."""
    containers, container = os.path.split(folder)
    networks = _networks(containers)
    os.makedirs(networks, 0o700, exist_ok=True)
    place = os.path.join(networks, name.encode().hex())  # a file's name holds 255 bytes; AWS's names are shorter
    lock = _locked(networks)
    try:
        found = _from_members(containers, place, name) or _make(ranged)
        _write_mark(place, container)
    except BaseException:
        os.close(lock)
        raise
    return Membership(lock, os.path.join(place, container), found)


def _networks(containers: str) -> str:
    return os.path.join(os.path.dirname(containers), "networks")


def _locked(folder: str) -> int:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    deadline = time.monotonic() + _JOIN_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise TimeoutError("another container does not finish to join its network") from None
            time.sleep(_PAUSE)
        else:
            return descriptor


def _write_mark(place: str, container: str) -> None:
    while True:
        os.makedirs(place, 0o700, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # the last member may have taken the folder away just now
            os.close(os.open(os.path.join(place, container), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
            return


def _from_members(containers: str, place: str, name: str) -> List[int]:
    """The network's descriptors, from the first member that has them; nothing where none lives."""
    for container in _names(place):
        try:
            return _ask(os.path.join(containers, container), name)
        except (FileNotFoundError, ConnectionError, EOFError):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(place, container))
    return []


def _ask(folder: str, name: str) -> List[int]:
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
            sock.settimeout(_ASK_SECONDS)
            sock.connect("/proc/self/fd/{}/{}".format(directory, record.SOCKET))
            messages.send(sock, {"op": "network", "name": name})
            return messages.receive(sock)[1]
    finally:
        os.close(directory)


def _make(ranged: bool) -> List[int]:
    """A new network, made by a process of its own: who has entered a namespace does not come back."""
    mine, theirs = messages.pair()
    pid = os.fork()
    if pid == 0:
        try:
            _make_here(theirs, ranged)
        except OSError as error:
            messages.send(theirs, {"failed": "no network of containers can be made here: {}".format(error)})
        finally:
            os._exit(0)
    theirs.close()
    message, descriptors = _told(mine)
    os.waitpid(pid, 0)
    if "failed" in message:
        raise OSError(message["failed"])
    return descriptors


def _told(mine: socket.socket) -> Tuple[messages.Message, List[int]]:
    with mine:
        try:
            return messages.receive(mine)
        except EOFError:
            return {"failed": "the process that makes a network has gone"}, []


def _make_here(channel: socket.socket, ranged: bool) -> None:
    uid, gid = os.getuid(), os.getgid()
    syscalls.unshare(syscalls.CLONE_NEWNET | (0 if ranged else syscalls.CLONE_NEWUSER))
    if not ranged:
        confine.map_alone(0, uid, 0, gid)
    sock = netlink.connect()
    netlink.make_bridge(sock)
    own = [] if ranged else [os.open("/proc/self/ns/user", os.O_RDONLY | os.O_CLOEXEC)]
    messages.send(channel, {"made": True}, [sock.fileno(), *own])


def sweep(containers: str) -> None:
    """Forget members whose shim was killed."""
    networks = _networks(containers)
    for place in (os.path.join(networks, name) for name in _names(networks)):
        for container in _names(place):
            if not record.is_locked(os.path.join(containers, container)):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(place, container))
        with contextlib.suppress(OSError):
            os.rmdir(place)


def _names(folder: str) -> List[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
