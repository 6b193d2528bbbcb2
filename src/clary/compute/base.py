"""Where a container runs: one protocol for every backend.

A backend knows nothing of jobs or endpoints. Whoever starts a container has chosen its id and written its bundle
before; starting twice is starting once; a container lives on when the server dies and is found again by its id.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Mount:
    """A host path seen inside at `target`. The source must exist; a file is mounted as a file."""

    source: str
    target: str
    writable: bool = False
    copy_on_write: bool = False
    """Inside it is writable, and owned by whoever runs there; the source, a folder, is never touched. What is written
    belongs to the container and goes with it."""


@dataclass(frozen=True)
class Limits:
    """What a container may use; None is no limit of its own. Held as far as the system allows (see docs)."""

    memory_bytes: int | None = None
    cpus: int | None = None
    """So many cores, those that the fewest others have; libraries inside that count cores find so many."""
    processes: int | None = 4096
    open_files: int | None = 65_536
    file_bytes: int | None = None
    shared_memory_bytes: int = 2**30
    disk_bytes: int | None = None
    """What it may write to the disk in all; looked at every second or so."""
    gpus: int = 0
    """So many of the accelerators of this machine; none is seen otherwise."""


@dataclass(frozen=True)
class Warm:
    """A container that a warm parent may fork: its Python has imported `preload` already and runs module `module`.

    A hint: where the warm parent cannot be had, the container's `argv` is executed instead, with the same effect.
    """

    python: str
    """The host path of the environment's Python, whose warm parent forks."""
    preload: tuple[str, ...]
    module: str
    """What the fork runs as `__main__` (`clary.toolkit.train`); `Container.argv[1:]`-like arguments stand in `args`."""
    args: tuple[str, ...] = ()


@dataclass(frozen=True)
class Network:
    """A network of containers that reach one another by name, and that nobody else reaches.

    It comes with the first container that names it and goes with the last. Each has an interface `eth0` with an address
    of its own, and `/etc/hosts` names all of them.
    """

    name: str
    """Its id: equal for all its members."""
    hosts: tuple[str, ...]
    """Host names of all members, `("algo-1", "algo-2")`; a container is the one that its `hostname` says."""


@dataclass(frozen=True)
class Feed:
    """Channels in Pipe mode (`toolkit.pipes`), by folders of the host."""

    plans: str
    """How each is streamed, and of what."""
    data: str
    """Where the pipes are, which is mounted as the container's /opt/ml/input/data."""


@dataclass(frozen=True)
class Container:
    """What to run, said from the inside, and what of the host is seen there.

    With an `image` a container engine runs it: `argv` is what the image's entry point is given, or the command where it
    has none. Standard output and error go to `log` (see telemetry.logfile). `listens` is the port inside that `dial`
    reaches. `api` says whether the container reaches Clary's API (and, by proxy, the network) or is isolated.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    log: str
    image: str = ""
    """An image of the container engine; empty: this machine's own programs, in a sandbox."""
    entrypoint: tuple[str, ...] = ()
    """In place of the image's own."""
    runtime_api: bool = False
    """With an image: it does not listen, but asks for its work by AWS Lambda's Runtime API
    (`AWS_LAMBDA_RUNTIME_API`); whoever dials it speaks frames (`toolkit.function.frames`), and it ends with that
    connection. Without arguments in `argv` it gets those of the image, also where the entry point is another."""
    mounts: tuple[Mount, ...] = ()
    hostname: str = "algo-1"
    workdir: str = "/"
    limits: Limits = field(default_factory=Limits)
    api: bool = True
    listens: int | None = None
    warm: Warm | None = None
    network: Network | None = None
    """None: a loopback of its own, and nobody else."""
    companions: tuple[tuple[str, ...], ...] = ()
    """Programs that run beside the main one, started before it, in the same environment, and ended with it; that one of
    them fails is written to the log and ends nothing. Not with an image."""
    feed: Feed | None = None
    """With an image, which need not have a Python: its pipes are fed from outside. Where they cannot be fed to the end
    it is killed, with that `reason`."""


@dataclass(frozen=True)
class Absent:
    """No such container: never started, or removed."""


@dataclass(frozen=True)
class Running:
    """Alive since `since` (epoch seconds)."""

    since: float


@dataclass(frozen=True)
class Exited:
    """Ended by itself, by a signal, or stopped. All its log lines are readable."""

    at: float
    code: int
    """The exit code as a shell gives it: 128 + signal where a signal ended it."""
    signal: int | None = None
    out_of_memory: bool = False
    reason: str = ""
    """Why it never ran (a mount that could not be made, a program that does not exist; `code` 126 or 127, no `signal`),
    or what it was ended for (it filled the disk; `signal` 9); else empty."""
    since: float | None = None
    """When it began (epoch seconds)."""


@dataclass(frozen=True)
class Lost:
    """Gone without a record: its shim was killed or the machine restarted."""


State = Absent | Running | Exited | Lost


@dataclass(frozen=True)
class Usage:
    """What a container has used since it began, and what it holds now."""

    seconds: float
    """Since it began."""
    cpu_seconds: float
    """Of all its processes together, and of those that have ended as far as somebody inside has waited for them."""
    memory_bytes: int
    """Without what is only cached; pages that it shares with other containers are counted in part."""
    disk_bytes: int | None
    """Of all files that it has written; None where there are more than can be counted in a moment, or nobody knows
    where it writes."""


class Backend(Protocol):
    """All methods may be called again after a crash at any line, from any thread."""

    def start(self, container_id: str, container: Container) -> None:
        """Start it, or do nothing where it was started before. Raises ClaryError where this machine cannot run it."""
        ...

    def poll(self, container_id: str) -> State:
        """What it is doing now."""
        ...

    def usage(self, container_id: str) -> Usage | None:
        """What it uses; None where it does not run, or was started by a Clary that could not tell."""
        ...

    def stop(self, container_id: str, grace: float) -> None:
        """SIGTERM now and SIGKILL after `grace` seconds; returns at once, idempotent, holds even when Clary dies."""
        ...

    def enter(self, container_id: str, argv: Sequence[str], streams: tuple[int, int, int]) -> int:
        """Run one more program inside, with these descriptors as its standard streams (a terminal's, as a rule); its
        exit code, when it has ended. It ends with the container. Raises FileNotFoundError where that does not run."""
        ...

    def remove(self, container_id: str) -> None:
        """End it at once if it runs and forget everything but its log."""
        ...

    def list(self) -> Iterable[str]:
        """Ids of all containers that are known, living or ended."""
        ...

    def watch(self, on_change: Callable[[str], None]) -> None:
        """From now on `on_change(id)` is called, from a thread of the backend, soon after a state may have changed."""
        ...

    def close(self) -> None:
        """Stop watching; containers live on."""
        ...


def folder(containers_dir: Path, container_id: str) -> Path:
    """A container's folder: its bundle, lock, handle, socket and exit record."""
    return containers_dir / container_id


class Dial(Protocol):
    """How the data plane reaches a container's port."""

    def __call__(self, container_id: str) -> socket.socket:
        """A socket connected to the port that the container listens on, non-blocking.

        Raises ConnectionRefusedError while nothing listens there, FileNotFoundError where the container is gone.
        """
        ...
