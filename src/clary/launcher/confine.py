"""Into the namespaces: from a forked child of the shim to PID 1 of a container that sees nothing of the host.

The order is the point. The root is laid out by whoever may give files to the inner user: real root, else the root of
the new user namespace. All namespaces are made at once, so that the new user namespace owns the others; mounts are made
while the process is still the server's user (it must reach paths that the inner user may not); then the identity is
taken, and every capability that is left is given up.
"""

# ruff: noqa: PTH103, PTH110
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import os
import signal
import socket
from typing import Dict, Optional, Sequence

from clary.compute.launch import OVERLAY, Identity, Launch, MountEntry
from clary.launcher import layers, layout, messages, netlink, syscalls

_NAMESPACES = (
    syscalls.CLONE_NEWUSER
    | syscalls.CLONE_NEWNS
    | syscalls.CLONE_NEWPID
    | syscalls.CLONE_NEWIPC
    | syscalls.CLONE_NEWUTS
    | syscalls.CLONE_NEWNET
    | syscalls.CLONE_NEWCGROUP
)

# CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, NET_BIND_SERVICE: what root in an image's own programs uses
# (as in other container engines), meaningful only for the range of ids mapped inside.
_INNER_ROOT = sum(1 << number for number in (0, 1, 3, 4, 5, 6, 7, 10))

_SETTINGS = ("/sys", "/sysrq-trigger", "/irq", "/bus")

_ROOT_SIZE = "mode=755,size=512m,nr_inodes=256k"  # it is memory; what programs write much to lies on the disk

_OOM_SCORE = "900"  # a machine out of memory takes the job, not the server


def become_init(channel: socket.socket, launch: Launch, user_namespace: Optional[int]) -> None:
    """Return as PID 1 of the new namespaces, its root built and its rights given up; the caller's process is gone.
    The new user namespace is made in `user_namespace`, where one is given.

    Raises OSError where the kernel forbids a step.
    """
    ranged = launch["identity"]["count"] > 1
    prefer_for_oom()
    if ranged:
        syscalls.unshare(syscalls.CLONE_NEWNS)
        _stage(launch)
    if user_namespace is not None:
        syscalls.enter_namespace(user_namespace, syscalls.CLONE_NEWUSER)
    trees = _unshare(channel, launch)
    _fork_first_process(channel)
    if not ranged:
        _stage(launch)
    build_root(launch, trees, channel)
    syscalls.set_hostname(launch["hostname"])
    syscalls.loopback_up()
    if launch["network"]:
        with netlink.connect() as own:
            netlink.give_address(own, "eth0", launch["network"]["address"])
    _take_identity(launch["identity"])
    _die_with_shim(channel)


def _stage(launch: Launch) -> None:
    """An empty file system in memory, seen by this mount namespace alone, with the layout written to it: on a disk, a
    hundred new directory entries would take longer than all the rest."""
    syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
    os.makedirs(launch["root"], 0o755, exist_ok=True)
    syscalls.mount("tmpfs", launch["root"], "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, _ROOT_SIZE)
    layout.lay_out(launch)


def prefer_for_oom() -> None:
    """Let the kernel's out-of-memory killer prefer this process and its children."""
    _write("/proc/self/oom_score_adj", _OOM_SCORE)


def _unshare(channel: socket.socket, launch: Launch) -> Dict[int, int]:
    """Mounts by number that the shim has opened for the new user namespace."""
    uid, gid = os.getuid(), os.getgid()  # after unshare both are the overflow id
    syscalls.unshare(_NAMESPACES)
    if launch["identity"]["count"] == 1:
        map_alone(0, uid, 0, gid)
    own = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return wait_for_shim(channel, [own] if launch["network"] else [])
    finally:
        os.close(own)


def wait_for_shim(channel: socket.socket, network_namespace: Sequence[int] = ()) -> Dict[int, int]:
    """Go on when the shim has mapped this process's ids, put it into its cgroup and plugged it into its network."""
    messages.send(channel, {"waiting": True}, network_namespace)
    message, descriptors = messages.receive(channel)
    return dict(zip(message.get("mapped", []), descriptors))  # noqa: B905  Python 3.8 has no strict


def write_range(pid: int, identity: Identity) -> None:
    """Map the inner ids from 0 of process `pid`, which has unshared, to the host's range; for root only."""
    for name in ("uid_map", "gid_map"):
        _write("/proc/{}/{}".format(pid, name), "0 {} {}".format(identity["base"], identity["count"]))


def map_alone(inner_uid: int, uid: int, inner_gid: int, gid: int) -> None:
    """Map one user and one group, by this process, which has unshared."""
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", "{} {} 1".format(inner_uid, uid))
    _write("/proc/self/gid_map", "{} {} 1".format(inner_gid, gid))


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _fork_first_process(channel: socket.socket) -> None:
    """The child is PID 1; its parent goes, and leaves it to the shim."""
    pid = syscalls.fork()
    if pid:
        messages.send(channel, {"init": pid})
        os._exit(0)


def _die_with_shim(channel: socket.socket) -> None:
    """Only when the shim has reaped our parent is it our parent itself. A parent that is still going would take us with
    it: the kernel closes its descriptors first and, having torn down its namespaces, tells its children up to 30 ms
    later. A shim that has gone by now is seen on the channel."""
    messages.receive(channel)
    syscalls.die_with_parent(signal.SIGKILL)


def build_root(launch: Launch, trees: Dict[int, int], channel: socket.socket) -> None:
    """Make every mount below the root and let it be the only thing that is seen. Of the mounts in `trees` the shim has
    opened the sources."""
    root = launch["root"]
    syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
    syscalls.mount(root, root, flags=syscalls.MS_BIND)
    syscalls.protect(root, read_only=False, devices=False)
    for number, entry in enumerate(launch["mounts"]):
        if entry["kind"] == OVERLAY:
            layers.mount(launch, number, trees.get(number), channel)
        else:
            _mount(root + entry["target"], entry, trees.get(number))
    messages.close_all(list(trees.values()))
    layers.clear(launch)
    syscalls.enter_root(root)


def _mount(target: str, entry: MountEntry, tree: Optional[int]) -> None:
    if entry["kind"] == "bind":
        if tree is None:
            syscalls.mount(entry["source"], target, flags=syscalls.MS_BIND | syscalls.MS_REC)
        else:
            syscalls.attach(tree, target)
        syscalls.protect(target, read_only=not entry["writable"], devices=entry["devices"])
    elif entry["kind"] == "sysfs":
        _mount_sysfs(target)
    else:
        flags = syscalls.MS_NOSUID | syscalls.MS_NOEXEC | (0 if entry["devices"] else syscalls.MS_NODEV)
        syscalls.mount(entry["kind"], target, entry["kind"], flags, entry["data"])
        if entry["kind"] == "proc":
            _close_settings(target)


def _close_settings(proc: str) -> None:
    """The kernel lets user 0 change its settings, whatever rights that user has given up; and where root has no range
    of ids to give, the inner user is one."""
    for name in _SETTINGS:
        path = proc + name
        if os.path.exists(path):
            syscalls.mount(path, path, flags=syscalls.MS_BIND)
            syscalls.protect(path, read_only=True, devices=False)


def _mount_sysfs(target: str) -> None:
    """This network namespace's own view where the kernel gives one, else the host's, read-only."""
    try:
        syscalls.mount("sysfs", target, "sysfs", syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC)
    except PermissionError:
        syscalls.mount("/sys", target, flags=syscalls.MS_BIND | syscalls.MS_REC)
    syscalls.protect(target, read_only=True, devices=False)


def _take_identity(identity: Identity) -> None:
    if identity["count"] > 1:
        os.setgroups([])
        os.setresgid(identity["gid"], identity["gid"], identity["gid"])
        os.setresuid(identity["uid"], identity["uid"], identity["uid"])
    elif identity["uid"] != 0:
        # A second user namespace: this one owns no mount, so nothing of the layout can be undone from inside.
        syscalls.unshare(syscalls.CLONE_NEWUSER)
        map_alone(identity["uid"], 0, identity["gid"], 0)
    syscalls.own_keyring()
    syscalls.keep_capabilities(_INNER_ROOT if identity["count"] > 1 else 0)
    syscalls.no_new_privileges()
