"""The launch document: one container, planned to the last mount; what the backend writes and the launcher carries out.

Paths in `source`, `root`, `log` are the host's; all others are seen from the inside. The standard library only, for
Pythons of 3.8 and later: the launcher and every warm parent read this file too.
"""

# ruff: noqa: PTH118
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import os
from typing import TypedDict

API_PORT = 4599
"""Where a container that is not isolated finds Clary's API: 127.0.0.1 at this port, inside."""

PROXY_PORT = 3128
"""Where it finds the HTTP proxy that leads to the networks of the host."""

TRUST = "/opt/clary/authorities.pem"
"""The authorities that it trusts for TLS, the one of AWS's names here among them."""

BUNDLE, CERTIFICATE, KEY, NAMES = "bundle.pem", "certificate.pem", "key.pem", "names"
"""In the folder `aws_names` of a launch document: what is shown at TRUST; what the proxy answers with for AWS's hosts,
and which those are."""

RUNTIME_API = "127.0.0.1:9001"
"""What a function's image is told of where it finds AWS Lambda's Runtime API; its keeper puts the real place there."""

STOP_ALL, GO_ON = b"s", b"g"
"""What is said over a freezer's line: see `launcher.freezer`."""

OVERLAY = "overlay"
"""The kind of a copy-on-write mount."""


def layer(folder: str, number: int) -> str:
    """Where a container keeps what it has written to the copy-on-write mount with this number: `upper` and `work`, or
    the whole as `copy`."""
    return os.path.join(folder, "layers", str(number))


class MountEntry(TypedDict):
    """One mount. `kind` is `bind`; `overlay`, a copy-on-write view of the folder `source`; or a file system's name with
    its options in `data`."""

    kind: str
    source: str
    target: str
    writable: bool
    devices: bool
    own: bool
    """Shown as the container's own files, whatever users there are inside: those of the server's user can be read."""
    data: str


class Identity(TypedDict):
    """Which users exist inside. `base` is the host's id of the first of `count` ids; a count of 1 is the server's own
    user, seen as `uid` inside."""

    uid: int
    gid: int
    base: int
    count: int


class Program(TypedDict):
    """What a warm parent's fork runs as `__main__`, and what its parent must be: equal `key`, equal parent."""

    key: str
    python: str
    preload: list[str]
    startup: dict[str, str]
    module: str
    args: list[str]


class LaunchLimits(TypedDict):
    """As `compute.base.Limits`, less the shared memory, which is a mount."""

    memory_bytes: int | None
    cpus: int | None
    processes: int | None
    open_files: int | None
    file_bytes: int | None
    disk_bytes: int | None
    gpus: int


class NetworkPlace(TypedDict):
    """A network's name, and the container's own address in it, `10.77.0.1/16`."""

    name: str
    address: str


class EngineNetwork(TypedDict):
    """A network of containers of an engine that reach one another."""

    name: str
    """The engine's name for it: equal for all its members."""
    hosts: list[str]
    """Host names of all members, in the order of their addresses."""


class EngineFeed(TypedDict):
    """Channels in Pipe mode: folders of the host, as `compute.base.Feed`."""

    plans: str
    data: str


class EnginePart(TypedDict):
    """What a container engine is told besides."""

    socket: str
    """Where it listens."""
    image: str
    entrypoint: list[str]
    """Empty: the image's own."""
    shared_memory_bytes: int
    network: EngineNetwork | None
    """None: it is with nobody."""
    feed: EngineFeed | None
    """None: it reads no pipes of ours."""
    runtime_api: bool
    """It asks for its work by Lambda's Runtime API; whoever dials it speaks frames (`toolkit.function.frames`)."""


class Launch(TypedDict):
    """One container."""

    protocol: int
    id: str
    argv: list[str]
    env: dict[str, str]
    workdir: str
    hostname: str
    log: str
    port: int | None
    api: bool
    confined: bool
    identity: Identity
    root: str
    """An empty folder's name: the root is a tmpfs there."""
    scratch: list[tuple[str, int]]
    """Folders on the disk, with their modes: for what a program writes beside its mounts and memory must not hold."""
    directories: list[tuple[str, int]]
    files: dict[str, str]
    links: dict[str, str]
    mounts: list[MountEntry]
    limits: LaunchLimits
    companions: list[list[str]]
    aws_names: str | None
    """The folder of the certificate for AWS's hosts, which its proxy answers by the API; None: they are others'."""
    network: NetworkPlace | None
    warm: Program | None
    engine: EnginePart | None
    """None: a sandbox. In one of an engine `argv` is what the entry point is given."""
