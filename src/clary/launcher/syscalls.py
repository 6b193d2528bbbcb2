"""The kernel's calls that Python has no word for: namespaces, mounts, capabilities, by ctypes and nothing else.

Each raises OSError with the kernel's errno. Numbers and flags are those of linux/sched.h, linux/mount.h, linux/prctl.h
and linux/capability.h; they are the same on x86-64 and 64-bit ARM except where a table says otherwise.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import socket
import struct

CLONE_NEWNS = 0x0002_0000
CLONE_NEWCGROUP = 0x0200_0000
CLONE_NEWUTS = 0x0400_0000
CLONE_NEWIPC = 0x0800_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWPID = 0x2000_0000
CLONE_NEWNET = 0x4000_0000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x4_0000

_MNT_DETACH = 2
_MOUNT_ATTR_RDONLY = 0x1
_MOUNT_ATTR_NOSUID = 0x2
_MOUNT_ATTR_NODEV = 0x4
_MOUNT_ATTR_IDMAP = 0x10_0000
_AT_RECURSIVE = 0x8000
_AT_EMPTY_PATH = 0x1000
_AT_FDCWD = -100
_OPEN_TREE_CLONE = 0x1
_MOVE_MOUNT_F_EMPTY_PATH = 0x4
_SYS_OPEN_TREE = 428
_SYS_MOVE_MOUNT = 429
_SYS_MOUNT_SETATTR = 442
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "arm64": 41}.get(platform.machine(), 155)

_SYS_KEYCTL = {"x86_64": 250, "aarch64": 219, "arm64": 219}.get(platform.machine(), 250)
_KEYCTL_JOIN_SESSION_KEYRING = 1

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x2008_0522
_CAPABILITIES = 64

_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1

_libc = ctypes.CDLL(None, use_errno=True)
_libc_with_lock = ctypes.PyDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, "{}: {}".format(what, os.strerror(number)))
    return result


def fork() -> int:
    """fork(2), as os.fork, without what Python and its modules do in each child: that writes to 600 KiB of pages which
    the child shares. For a process with one thread, whose child runs our own code alone and forks a program by os.fork.
    """
    return _checked(int(_libc_with_lock.fork()), "fork")


def unshare(flags: int) -> None:
    """unshare(2)."""
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def enter_namespace(descriptor: int, kind: int) -> None:
    """setns(2): into the namespace, of this CLONE_NEW… kind, that the descriptor names."""
    _checked(_libc.setns(ctypes.c_int(descriptor), ctypes.c_int(kind)), "setns")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """mount(2); an empty `kind` or `data` is NULL."""
    result = _libc.mount(
        source.encode(),
        target.encode(),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        data.encode() or None,
    )
    _checked(result, "mount {} on {}".format(source, target))


def mapped_tree(source: str, user_namespace: int) -> int:
    """A descriptor of `source` and what is mounted below it, seen through the ids of a user namespace: what belongs to
    the host's user N belongs to the namespace's user N. For root; file systems and kernels (5.12) may refuse."""
    flags = ctypes.c_uint(_OPEN_TREE_CLONE | os.O_CLOEXEC | _AT_RECURSIVE)
    call = (ctypes.c_long(_SYS_OPEN_TREE), ctypes.c_int(_AT_FDCWD), source.encode(), flags)
    tree = _checked(_libc.syscall(*call), "open_tree {}".format(source))
    wanted = struct.pack("=QQQQ", _MOUNT_ATTR_IDMAP, 0, MS_PRIVATE, user_namespace)
    try:
        _checked(_mount_setattr(tree, "", _AT_EMPTY_PATH | _AT_RECURSIVE, wanted), "ids of {}".format(source))
    except OSError:
        os.close(tree)
        raise
    return tree


def attach(tree: int, target: str) -> None:
    """Mount at `target` what `mapped_tree` gave."""
    flags = ctypes.c_uint(_MOVE_MOUNT_F_EMPTY_PATH)
    call = (ctypes.c_int(tree), b"", ctypes.c_int(_AT_FDCWD), target.encode(), flags)
    _checked(_libc.syscall(ctypes.c_long(_SYS_MOVE_MOUNT), *call), "move_mount on {}".format(target))


def detach(target: str) -> None:
    """umount2(2): gone from here now, from the kernel with its last user."""
    _checked(_libc.umount2(target.encode(), ctypes.c_int(_MNT_DETACH)), "umount {}".format(target))


def set_file_ids(uid: int, gid: int) -> None:
    """setfsuid(2), setfsgid(2): of the calling thread alone. They tell no error: PermissionError is found out."""
    _libc.setfsgid(ctypes.c_uint(gid))
    _libc.setfsuid(ctypes.c_uint(uid))
    if (_libc.setfsuid(ctypes.c_uint(0xFFFF_FFFF)), _libc.setfsgid(ctypes.c_uint(0xFFFF_FFFF))) != (uid, gid):
        raise PermissionError(errno.EPERM, "setfsuid")


def _mount_setattr(at: int, path: str, flags: int, wanted: bytes) -> int:
    call = (ctypes.c_int(at), path.encode(), ctypes.c_uint(flags), wanted, ctypes.c_size_t(len(wanted)))
    return int(_libc.syscall(ctypes.c_long(_SYS_MOUNT_SETATTR), *call))


def protect(target: str, read_only: bool, devices: bool) -> None:
    """Make the mount at `target`, and all below it, nosuid, read-only and without devices, as asked.

    mount_setattr(2) keeps the flags that are locked; kernels before 5.12 lack it, and there only the mount itself is
    remounted with the flags that it has.
    """
    attributes = _MOUNT_ATTR_NOSUID | (_MOUNT_ATTR_RDONLY if read_only else 0) | (0 if devices else _MOUNT_ATTR_NODEV)
    wanted = struct.pack("=QQQQ", attributes, 0, 0, 0)
    result = _mount_setattr(_AT_FDCWD, target, _AT_RECURSIVE, wanted)
    if result < 0 and ctypes.get_errno() == errno.ENOSYS:
        _remount(target, read_only, devices)
    else:
        _checked(result, "mount_setattr {}".format(target))


def _remount(target: str, read_only: bool, devices: bool) -> None:
    has = os.statvfs(target).f_flag & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    flags = MS_REMOUNT | MS_BIND | MS_NOSUID | has
    flags |= (MS_RDONLY if read_only else 0) | (0 if devices else MS_NODEV)
    mount("none", target, flags=flags)


def enter_root(path: str) -> None:
    """Make `path`, a mount point, the root, and let go of the old one with everything below it."""
    os.chdir(path)
    _checked(_libc.syscall(ctypes.c_long(_SYS_PIVOT_ROOT), b".", b"."), "pivot_root")
    detach(".")
    os.chdir("/")


def set_hostname(name: str) -> None:
    """sethostname(2)."""
    encoded = name.encode()
    _checked(_libc.sethostname(encoded, ctypes.c_size_t(len(encoded))), "sethostname")


def loopback_up() -> None:
    """Raise `lo` in this network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(probe, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(probe, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | _IFF_UP))


def _prctl(option: int, argument: int = 0) -> int:
    zero = ctypes.c_ulong(0)
    return int(_libc.prctl(ctypes.c_int(option), ctypes.c_ulong(argument), zero, zero, zero))


def die_with_parent(signal_number: int) -> None:
    """Get `signal_number` when the parent's thread ends; undone by a change of user."""
    _checked(_prctl(_PR_SET_PDEATHSIG, signal_number), "PR_SET_PDEATHSIG")


def set_dumpable(dumpable: bool) -> None:
    """Whether a process of the same user may trace this one and read its memory."""
    _checked(_prctl(_PR_SET_DUMPABLE, int(dumpable)), "PR_SET_DUMPABLE")


def adopt_orphans() -> None:
    """Descendants that lose their parent become children of this process."""
    _checked(_prctl(_PR_SET_CHILD_SUBREAPER, 1), "PR_SET_CHILD_SUBREAPER")


def no_new_privileges() -> None:
    """From now on no program gains rights by a set-uid bit or file capabilities."""
    _checked(_prctl(_PR_SET_NO_NEW_PRIVS, 1), "PR_SET_NO_NEW_PRIVS")


def own_keyring() -> None:
    """An empty session keyring in place of the inherited one; kernels without keyrings have nothing to hide."""
    joined = _libc.syscall(ctypes.c_long(_SYS_KEYCTL), ctypes.c_int(_KEYCTL_JOIN_SESSION_KEYRING), None)
    if joined < 0 and ctypes.get_errno() != errno.ENOSYS:
        _checked(joined, "keyctl")


def keep_capabilities(kept: int) -> None:
    """Give up every capability outside the mask `kept`, now and for every program executed later."""
    for number in range(_CAPABILITIES):
        if not kept >> number & 1 and _prctl(_PR_CAPBSET_DROP, number) < 0:
            break  # past the last capability that this kernel knows
    _libc.prctl(
        ctypes.c_int(_PR_CAP_AMBIENT),
        ctypes.c_ulong(_PR_CAP_AMBIENT_CLEAR_ALL),
        ctypes.c_ulong(0),
        ctypes.c_ulong(0),
        ctypes.c_ulong(0),
    )
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    low, high = kept & 0xFFFF_FFFF, kept >> 32
    _checked(_libc.capset(header, struct.pack("=6I", low, low, 0, high, high, 0)), "capset")
