"""Folders copied and given away, by the server's user: nothing in them is followed."""

# ruff: noqa: PTH101, PTH102, PTH104, PTH112, PTH114, PTH115, PTH118, PTH211
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import fcntl
import os
import stat
from typing import Iterator

_FICLONE = 0x4004_9409
_PIECE = 64 * 2**20


def copy_tree(source: str, target: str) -> None:
    """Folders, files and links of `source`, with their modes and times, as the new folder `target`; by reference where
    the file system shares blocks. Other kinds of files are left out."""
    os.mkdir(target, 0o700)
    with os.scandir(source) as entries:
        for entry in entries:
            _copy(entry, os.path.join(target, entry.name))
    _take_over(os.lstat(source), target)


def _copy(entry: os.DirEntry[str], target: str) -> None:
    if entry.is_symlink():
        os.symlink(os.readlink(entry.path), target)
    elif entry.is_dir(follow_symlinks=False):
        copy_tree(entry.path, target)
    elif entry.is_file(follow_symlinks=False):
        copy_file(entry.path, target)


def copy_file(source: str, target: str) -> None:
    """One regular file, as the new file `target`."""
    reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            _copy_bytes(reading, writing)
        finally:
            os.close(writing)
        _take_over(os.fstat(reading), target)
    finally:
        os.close(reading)


def _take_over(has: os.stat_result, target: str) -> None:
    os.chmod(target, stat.S_IMODE(has.st_mode) & 0o777)
    os.utime(target, ns=(has.st_atime_ns, has.st_mtime_ns))


def _copy_bytes(reading: int, writing: int) -> None:
    try:
        fcntl.ioctl(writing, _FICLONE, reading)
    except OSError:  # this file system does not share blocks
        while os.sendfile(writing, reading, None, _PIECE):
            pass


def give(path: str, user: int) -> None:
    """Make `user` the owner of what is ours of `path`, a file or a folder with all in it. A file that has other names
    too is not ours alone: it is replaced by a copy."""
    mine = os.geteuid()
    for name in _walk(path):
        has = os.lstat(name)
        if has.st_uid != mine:
            continue
        if stat.S_ISREG(has.st_mode) and has.st_nlink > 1:
            _part(name)
        os.chown(name, user, user, follow_symlinks=False)


def _part(name: str) -> None:
    fresh = "{}.{}".format(name, os.urandom(6).hex())
    copy_file(name, fresh)
    os.rename(fresh, name)


def _walk(path: str) -> Iterator[str]:
    yield path
    if os.path.isdir(path) and not os.path.islink(path):
        for parent, directories, files in os.walk(path):
            for name in directories + files:
                yield os.path.join(parent, name)
