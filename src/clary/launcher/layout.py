"""A container's root directory laid out with plain files: directories, links, settings, points to mount on."""

# ruff: noqa: PTH101, PTH102, PTH103, PTH110, PTH112, PTH120, PTH123, PTH211
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import os
from typing import Iterator, List, Tuple

from clary.compute.launch import OVERLAY, Launch, MountEntry
from clary.launcher import copying, layers


def lay_out(launch: Launch) -> None:
    """Write directories, files, links and mount points below `launch["root"]`, an empty file system, and give them to
    the inner user.

    Raises OSError where the disk refuses, and where a mount point would leave the directory it belongs to.
    """
    root = launch["root"]
    for path, mode in [*launch["scratch"], *((root + path, mode) for path, mode in launch["directories"])]:
        os.makedirs(path, exist_ok=True)
        os.chmod(path, mode)
    for path, text in launch["files"].items():
        with open(root + path, "wb") as file:
            file.write(text.encode())
    for path, target in launch["links"].items():
        os.symlink(target, root + path)
    covered: List[Tuple[str, MountEntry]] = []
    for number, entry in enumerate(launch["mounts"]):
        _check(entry["target"])
        base, rest, writable = place(root, covered, entry["target"])
        if base != root:
            _stay_in(base, rest)
        _make_point(base + rest, entry, writable)
        if entry["kind"] == OVERLAY:
            layers.prepare(root, number, entry["source"])
        if entry["kind"] in ("bind", OVERLAY):
            covered.append((entry["target"].rstrip("/") + "/", entry))
    _hand_over(launch)


def _check(target: str) -> None:
    """A request may name it (CheckpointConfig): with `..` in it we would make folders anywhere on the host."""
    if not target.startswith("/") or ".." in target.split("/"):
        raise OSError("mount point {} is no absolute path without ..".format(target))


def place(root: str, covered: List[Tuple[str, MountEntry]], target: str) -> Tuple[str, str, bool]:
    """The host's folder that an inner path belongs to, the path below it, and whether it is the container's to write:
    the source of the innermost mount that already covers it, else the root."""
    for outer, entry in reversed(covered):
        if target.startswith(outer):
            return entry["source"], "/" + target[len(outer) :], entry["writable"] and entry["kind"] == "bind"
    return root, target, True


def _stay_in(base: str, rest: str) -> None:
    """What lies in a mount's source may be a stranger's: a link in it must not lead us out."""
    if not os.path.realpath(base + rest).startswith(os.path.realpath(base) + "/"):
        raise OSError("mount point {} leads out of {}".format(rest, base))


def _make_point(path: str, entry: MountEntry, writable: bool) -> None:
    """What is shown read-only is the host's own, or everybody's: nothing is made in it."""
    if not writable:
        if not os.path.exists(path):
            raise OSError("mount point {} is not there, and cannot be made".format(entry["target"]))
        return
    try:
        _make(path, entry)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        _make(path, entry)


def _make(path: str, entry: MountEntry) -> None:
    with contextlib.suppress(FileExistsError):
        if entry["kind"] == "bind" and not os.path.isdir(entry["source"]):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        else:
            os.mkdir(path)


def _hand_over(launch: Launch) -> None:
    """Where ids are mapped to a range, the server's own files are nobody's inside: the container is given what it may
    write. What it may only read is shown through its ids instead (sources.py)."""
    if launch["identity"]["count"] == 1:
        return
    base = launch["identity"]["base"]
    _give_all(launch["root"], base)
    for path in [*layers.written(launch), *_writable_sources(launch["mounts"])]:
        copying.give(path, base)


def _give_all(folder: str, user: int) -> None:
    """Of a file system that holds nothing but what we have just made."""
    os.chown(folder, user, user)
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _give_all(entry.path, user)
            else:
                os.chown(entry.path, user, user, follow_symlinks=False)


def _writable_sources(mounts: List[MountEntry]) -> Iterator[str]:
    for entry in mounts:
        if entry["kind"] == "bind" and entry["writable"] and not entry["devices"]:
            yield entry["source"]
