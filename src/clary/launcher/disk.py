"""How much a container has written to the disk, and getting rid of it. Its folders are its own work: whatever lies in
them, nothing is followed, and however deep they are, no descriptor is wanting."""

# ruff: noqa: PTH116, PTH120
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import os
import stat
import time
from typing import Callable, Iterator, List, Optional

from clary.compute.launch import OVERLAY, Launch, layer
from clary.compute.removal import DEEPEST, open_folder, remove

_KEPT_BYTES = 64 * 1024
"""Of what a container that was ended for the disk leaves in its mounts, small files stay: they may say why."""

WITHOUT_END = 2**62


def free_bytes(path: str) -> int:
    """What an ordinary user may still write to this file system."""
    held = os.statvfs(path)
    return held.f_bavail * held.f_frsize


def written(launch: Launch) -> List[str]:
    """The folders on the disk to which a container writes: those that go with it, and its writable mounts."""
    return [*own(launch), *_mounted(launch)]


def own(launch: Launch) -> List[str]:
    """Those that go with it."""
    folder = os.path.dirname(launch["root"])
    layers = (number for number, entry in enumerate(launch["mounts"]) if entry["kind"] == OVERLAY)
    return [*(path for path, _ in launch["scratch"]), *(layer(folder, number) for number in layers)]


def _mounted(launch: Launch) -> Iterator[str]:
    scratch = {path for path, _ in launch["scratch"]}
    for entry in launch["mounts"]:
        if entry["kind"] == "bind" and entry["writable"] and not entry["devices"] and entry["source"] not in scratch:
            yield entry["source"]


class TooMany(Exception):
    """Files, for the time that was given."""


def used_bytes(paths: List[str], until: Optional[float] = None) -> int:
    """Of all files in these folders, as the disk counts them; WITHOUT_END where they are too deep to be counted. Raises
    TooMany where that takes longer than `until` (monotonic seconds)."""
    total = 0

    def add(_: int, __: str, has: os.stat_result) -> None:
        nonlocal total
        if until is not None and time.monotonic() > until:
            raise TooMany
        names = 1 if stat.S_ISDIR(has.st_mode) else has.st_nlink  # all of them are below: no mount shares files
        total += has.st_blocks * 512 // max(1, names)

    try:
        for path in paths:
            _visit(path, add)
    except RecursionError:
        return WITHOUT_END
    return total


def make_room(launch: Launch) -> None:
    """Remove what an ended container has written; of its mounts only what is large, or too deep to be looked at."""
    for path in own(launch):
        remove(path)
    for path in _mounted(launch):
        try:
            _visit(path, _remove_large)
        except RecursionError:
            remove(path)


def _remove_large(folder: int, name: str, has: os.stat_result) -> None:
    if stat.S_ISREG(has.st_mode) and has.st_size > _KEPT_BYTES:
        os.unlink(name, dir_fd=folder)


def _visit(path: str, act: Callable[[int, str, os.stat_result], None]) -> None:
    with contextlib.suppress(OSError):  # it has just been removed
        folder = open_folder(None, path, os.stat(path, follow_symlinks=False))
        try:
            _visit_open(folder, act, 0)
        finally:
            os.close(folder)


def _visit_open(folder: int, act: Callable[[int, str, os.stat_result], None], depth: int) -> None:
    if depth > DEEPEST:
        raise RecursionError
    for name in os.listdir(folder):
        with contextlib.suppress(OSError):  # as above
            has = os.stat(name, dir_fd=folder, follow_symlinks=False)
            act(folder, name, has)
            if stat.S_ISDIR(has.st_mode):
                inner = open_folder(folder, name, has)
                try:
                    _visit_open(inner, act, depth + 1)
                finally:
                    os.close(inner)
