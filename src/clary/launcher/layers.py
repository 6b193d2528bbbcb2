"""Copy-on-write mounts: what is written goes into the container's own folder, what is read comes from the source.

    <container's folder>/layers/N/upper, work   an overlay's own part, N the mount's number
    <container's folder>/layers/N/copy          the whole, where this kernel or file system has no overlay for us

Everything of an overlay must be somebody's inside, else it cannot be copied up: a source that belongs to users outside
the container's range is seen through the container's ids (sources.py), or copied.
"""

# ruff: noqa: PTH101, PTH103, PTH106, PTH116, PTH118, PTH120
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import os
import socket
import stat
import threading
from typing import Callable, Iterator, List, Optional

from clary.compute.launch import OVERLAY, Launch, layer
from clary.launcher import messages, syscalls

_STAGE = "/.layers"


def written(launch: Launch) -> Iterator[str]:
    """The folders that an overlay writes to."""
    for number, entry in enumerate(launch["mounts"]):
        if entry["kind"] == OVERLAY:
            yield layer(os.path.dirname(launch["root"]), number) + "/upper"
            yield layer(os.path.dirname(launch["root"]), number) + "/work"


def prepare(root: str, number: int, source: str) -> None:
    """Folders of the overlay, and points below the new root to mount its parts on. The upper one is the overlay's root:
    its mode is what is seen."""
    place = layer(os.path.dirname(root), number)
    os.makedirs(os.path.join(place, "work"), 0o700, exist_ok=True)
    os.makedirs(os.path.join(place, "upper"), exist_ok=True)
    os.chmod(os.path.join(place, "upper"), stat.S_IMODE(os.stat(source).st_mode) | 0o700)
    for part in ("lower", "own"):
        os.makedirs("{}{}/{}/{}".format(root, _STAGE, number, part), exist_ok=True)


def mount(launch: Launch, number: int, tree: Optional[int], channel: socket.socket) -> None:
    """Mount it below the root; `tree` is its source seen through the container's ids. Raises OSError where neither an
    overlay nor a copy can be had."""
    target, folder = launch["root"] + launch["mounts"][number]["target"], os.path.dirname(launch["root"])
    try:
        _gather(launch, number, tree)
        _overlay(launch, number)
    except OSError:
        ask_for_copy(number, channel)
        syscalls.mount(layer(folder, number) + "/copy", target, flags=syscalls.MS_BIND)
    syscalls.protect(target, read_only=False, devices=False)


def _gather(launch: Launch, number: int, tree: Optional[int]) -> None:
    """Both parts, where this mount namespace reaches them."""
    stage, folder = "{}{}/{}".format(launch["root"], _STAGE, number), os.path.dirname(launch["root"])
    if tree is not None:
        syscalls.attach(tree, stage + "/lower")
    elif launch["identity"]["count"] == 1:
        source = launch["mounts"][number]["source"]
        syscalls.mount(source, stage + "/lower", flags=syscalls.MS_BIND | syscalls.MS_REC)
    else:
        raise OSError("its files would be nobody's")
    syscalls.mount(layer(folder, number), stage + "/own", flags=syscalls.MS_BIND)


def _overlay(launch: Launch, number: int) -> None:
    """An overlay acts as whoever has mounted it: as the container's root, whose file ids only this thread takes. They
    may not reach the root by its path: the way goes by the working directory, which all threads share."""
    stage = "{}/{}".format(_STAGE, number).lstrip("/")
    options = "lowerdir={0}/lower,upperdir={0}/own/upper,workdir={0}/own/work,userxattr".format(stage)
    flags, target = syscalls.MS_NOSUID | syscalls.MS_NODEV, launch["mounts"][number]["target"].lstrip("/")
    os.chdir(launch["root"])
    if launch["identity"]["count"] == 1:
        syscalls.mount(OVERLAY, target, OVERLAY, flags, options)
    else:
        _as_inner_root(lambda: syscalls.mount(OVERLAY, target, OVERLAY, flags, options))


def _as_inner_root(act: Callable[[], None]) -> None:
    errors: List[OSError] = []

    def run() -> None:
        try:
            syscalls.set_file_ids(0, 0)
            act()
        except OSError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    for error in errors:
        raise error


def clear(launch: Launch) -> None:
    """Let go of the parts: from inside only the whole is seen."""
    stages: List[str] = []
    for number, entry in enumerate(launch["mounts"]):
        if entry["kind"] == OVERLAY:
            stages.append("{}{}/{}".format(launch["root"], _STAGE, number))
    for stage in stages:
        for part in ("lower", "own"):
            _empty("{}/{}".format(stage, part))
        os.rmdir(stage)
    if stages:
        os.rmdir(launch["root"] + _STAGE)


def _empty(point: str) -> None:
    with contextlib.suppress(OSError):  # nothing may be mounted there
        syscalls.detach(point)
    os.rmdir(point)


def ask_for_copy(number: int, channel: socket.socket) -> None:
    """Go on when the shim has copied the mount's source. Raises OSError where it could not."""
    messages.send(channel, {"copy": number})
    message, _ = messages.receive(channel)
    if "failed" in message:
        raise OSError(message["failed"])
