"""What a container is shown, prepared by its shim: only root outside may change ids, and only the server's user may
read.

The server's files are nobody's to a container with ids of its own. They are mounted with ids translated where kernel
and file system can (Linux 5.12); else those that it could not read are given to it. Which holds is found by doing.
"""

# ruff: noqa: PTH103, PTH116, PTH120
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import os
from typing import Dict

from clary.compute.launch import OVERLAY, Launch, MountEntry, layer
from clary.compute.removal import remove
from clary.launcher import copying, messages, syscalls


def open_mapped(launch: Launch, pid: int) -> Dict[int, int]:
    """The container's own mounts by number, as descriptors of trees with the ids of process `pid`'s user namespace."""
    namespace = os.open("/proc/{}/ns/user".format(pid), os.O_RDONLY | os.O_CLOEXEC)
    trees = {}
    try:
        for number, entry in enumerate(launch["mounts"]):
            if entry["own"]:
                try:
                    trees[number] = syscalls.mapped_tree(entry["source"], namespace)
                except OSError:
                    _make_readable(entry, launch)
    finally:
        os.close(namespace)
    return trees


def _make_readable(entry: MountEntry, launch: Launch) -> None:
    if entry["kind"] != OVERLAY and _is_closed(entry["source"], os.path.dirname(launch["root"]) + "/"):
        copying.give(entry["source"], launch["identity"]["base"])


def _is_closed(source: str, folder: str) -> bool:
    return source.startswith(folder) or not os.stat(source).st_mode & 0o004


def copied(launch: Launch, number: int) -> messages.Message:
    """Copy the source of a copy-on-write mount into the container's folder; what the container is told of it."""
    target = layer(os.path.dirname(launch["root"]), number) + "/copy"
    try:
        remove(target)
        os.makedirs(os.path.dirname(target), 0o700, exist_ok=True)
        copying.copy_tree(launch["mounts"][number]["source"], target)
        if launch["identity"]["count"] > 1:
            copying.give(target, launch["identity"]["base"])
    except OSError as error:
        return {"failed": "{} cannot be copied: {}".format(launch["mounts"][number]["source"], error)}
    return {"copied": number}
