"""Getting rid of a container's folders. What lies in them is its own work: nothing is followed, closed ones are opened,
and however deep they are, neither descriptors nor names nor the stack come to their end.

The standard library only, for Pythons of 3.8 and later: the launcher reads this file too.
"""

# ruff: noqa: PTH101, PTH106, PTH116
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import os
import stat

DEEPEST = 200
"""Folders in folders. Nobody's program goes so deep; one that does wants to hide what it writes."""

_READ = 0o500
_CHANGE = 0o700


def remove(path: str) -> None:
    """A folder and all in it, as far as that can be."""
    with contextlib.suppress(OSError):
        top = open_folder(None, path, os.stat(path, follow_symlinks=False), _CHANGE)
        try:
            while _clear(top, top, 0):
                pass
        finally:
            os.close(top)
        os.rmdir(path)


def _clear(folder: int, top: int, depth: int) -> bool:
    """Whether something too deep was moved up, for another round."""
    moved = False
    for name in os.listdir(folder):
        with contextlib.suppress(OSError):
            has = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if not stat.S_ISDIR(has.st_mode):
                os.unlink(name, dir_fd=folder)
                continue
            inner = open_folder(folder, name, has, _CHANGE)
            try:
                if depth > DEEPEST:
                    os.rename(name, os.urandom(8).hex(), src_dir_fd=folder, dst_dir_fd=top)
                    moved = True
                    continue
                moved = _clear(inner, top, depth + 1) or moved
            finally:
                os.close(inner)
            os.rmdir(name, dir_fd=folder)
    return moved


def open_folder(folder: int | None, name: str, has: os.stat_result, needs: int = _READ) -> int:
    """Also where the container has closed it to its owner. Raises OSError."""
    flags = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    if has.st_mode & needs != needs:
        handle = os.open(name, os.O_PATH | flags, dir_fd=folder)
        try:
            os.chmod(f"/proc/self/fd/{handle}", stat.S_IMODE(has.st_mode) | 0o700)
        finally:
            os.close(handle)
    return os.open(name, os.O_RDONLY | flags, dir_fd=folder)
