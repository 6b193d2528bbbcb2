"""A folder that a container writes to, read by descriptors: nothing in it is followed, whoever changes it meanwhile.

Standard library only: the packing child uses it too.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

DEEPEST = 256
"""Folders within folders; what lies deeper is left out. Each costs a descriptor."""

_CLOSED = os.O_CLOEXEC | os.O_NOFOLLOW
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | _CLOSED
_FILE = os.O_RDONLY | os.O_NONBLOCK | _CLOSED  # a pipe that takes the file's place keeps nobody waiting


@dataclass(frozen=True)
class Entry:
    """A file, a folder, a link or whatever else has a name there. Good until the walk goes on."""

    path: str
    """From the root, by `/`; bytes that are no UTF-8 as surrogates."""
    stat: os.stat_result
    folder: int
    """The descriptor of the folder that it is in."""

    @property
    def is_file(self) -> bool:
        """A regular file."""
        return stat.S_ISREG(self.stat.st_mode)

    @property
    def is_folder(self) -> bool:
        """A folder, and no link to one."""
        return stat.S_ISDIR(self.stat.st_mode)

    @property
    def is_link(self) -> bool:
        """A symbolic link."""
        return stat.S_ISLNK(self.stat.st_mode)

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    def open(self) -> BinaryIO:
        """The regular file's content. Raises OSError where it is gone or something else by now."""
        file = os.fdopen(_open(self.name, _FILE, self.folder), "rb")
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise FileNotFoundError(self.path)
        return file

    def target(self) -> str:
        """Where the link leads, as it is written. Raises OSError."""
        return os.readlink(self.name, dir_fd=self.folder)


def walk(root: Path) -> Iterator[Entry]:
    """All that is below `root`, each folder before what is in it, in the order of names; what vanishes meanwhile is
    left out. A root that is a link or no folder has nothing."""
    try:
        folder = _open(os.fspath(root), _FOLDER, None)
    except OSError:
        return
    yield from _walk(folder, "", 1)


def merged(roots: Sequence[Path]) -> Iterator[Entry]:
    """What is below all of them, each path once: as the first has it that has it."""
    if len(roots) == 1:
        yield from walk(roots[0])
        return
    folders = {"": True}
    for entry in chain.from_iterable(map(walk, roots)):
        above = entry.path.rpartition("/")[0]
        if entry.path not in folders and folders.get(above):
            folders[entry.path] = entry.is_folder
            yield entry


def _walk(folder: int, above: str, depth: int) -> Iterator[Entry]:
    """Closes `folder`."""
    try:
        for name in sorted(os.listdir(folder)):
            try:
                entry = Entry(above + name, os.stat(name, dir_fd=folder, follow_symlinks=False), folder)
                below = _open(name, _FOLDER, folder) if entry.is_folder and depth < DEEPEST else None
            except OSError:
                continue
            yield entry
            if below is not None:
                yield from _walk(below, f"{entry.path}/", depth + 1)
    finally:
        os.close(folder)


def _open(name: str, flags: int, folder: int | None) -> int:
    try:
        return os.open(name, flags, dir_fd=folder)
    except PermissionError:
        _permit(name, folder)
        return os.open(name, flags, dir_fd=folder)


def _permit(name: str, folder: int | None) -> None:
    """It is ours, but its mode keeps us out. Raises OSError where it is not ours."""
    handle = os.open(name, os.O_PATH | _CLOSED, dir_fd=folder)
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            os.chmod(f"/proc/self/fd/{handle}", stat.S_IMODE(mode) | 0o700)  # noqa: PTH101 - of a descriptor
    finally:
        os.close(handle)
