"""Containers of Docker or Podman: what the launcher is asked for, and whose socket it is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from clary.compute import docker_socket, host, plan, record
from clary.compute.authority import Authority
from clary.compute.base import Container, Network
from clary.compute.docker_images import ImageStore
from clary.compute.launch import OVERLAY, EngineFeed, EngineNetwork, EnginePart, Launch, MountEntry
from clary.compute.local import LocalBackend
from clary.compute.logins import Logins
from clary.errors import ClaryError
from clary.settings import Settings

MOST_HOSTS = 250
"""Of one network: it has 256 addresses, of which the network, this host and all hosts have theirs."""


class DockerPlanner:
    """Implements `compute.local.Planner`. `environ` says which engine, if not the first that answers."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._authority = Authority(settings.authority_dir)
        self._environ = environ
        self._logins = Logins(environ)

    def engine(self) -> ImageStore:
        """The engine of this machine, now. Raises ClaryError where none answers."""
        return ImageStore(docker_socket.find(self._environ), self._logins)

    def check(self) -> None:
        """As the protocol."""
        self.engine()

    def plan(self, place: Path, container: Container) -> Launch:
        """As the protocol."""
        if container.companions:
            raise ClaryError(
                "Programs beside the image's own are not offered for images of a container engine.", "Start them by it."
            )
        part = EnginePart(
            socket=self.engine().path,
            image=container.image,
            entrypoint=list(container.entrypoint),
            shared_memory_bytes=container.limits.shared_memory_bytes,
            network=_network(place, container.network),
            feed=EngineFeed(plans=container.feed.plans, data=container.feed.data) if container.feed else None,
            runtime_api=container.runtime_api,
        )
        return Launch(
            protocol=record.PROTOCOL,
            id=place.name,
            argv=list(container.argv),
            env=dict(container.env),
            workdir=container.workdir,
            hostname=container.hostname,
            log=container.log,
            port=container.listens,
            api=container.api,
            confined=True,
            identity=plan.alone(),
            root=str(place / record.ROOT),
            scratch=[],
            directories=[],
            files={},
            links={},
            mounts=_mounts(container),
            limits=plan.limits(container),
            companions=[],
            aws_names=str(self._authority.current()) if container.api else None,
            network=None,
            warm=None,
            engine=part,
        )


def _network(place: Path, network: Network | None) -> EngineNetwork | None:
    """By a name that an engine takes, whatever the network is called. Raises ClaryError for too many hosts."""
    if network is None:
        return None
    if len(network.hosts) > MOST_HOSTS:
        raise ClaryError(
            f"{len(network.hosts)} hosts are too many for images of a container engine.",
            f"Ask for {MOST_HOSTS} instances at most.",
        )
    mark = hashlib.sha256(network.name.encode()).hexdigest()[:16]
    return EngineNetwork(name=f"{record.prefix(str(place.parent))}hosts-{mark}", hosts=list(network.hosts))


def _mounts(container: Container) -> list[MountEntry]:
    """Those that the container names, and the accelerators among which its own are chosen."""
    found = [
        MountEntry(
            kind=OVERLAY if mount.copy_on_write else "bind",
            source=mount.source,
            target=mount.target,
            writable=mount.writable or mount.copy_on_write,
            devices=False,
            own=mount.copy_on_write,
            data="",
        )
        for mount in container.mounts
    ]
    for entry in found:
        if not Path(entry["source"]).exists():
            raise FileNotFoundError(f"cannot mount {entry['source']} at {entry['target']}: it is not there")
    devices = host.accelerators() if container.limits.gpus else ()
    return [*found, *(_device(path) for path in devices)]


def _device(path: str) -> MountEntry:
    return MountEntry(kind="bind", source=path, target=path, writable=True, devices=True, own=False, data="")


class DockerBackend(LocalBackend):
    """An engine's containers only."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        super().__init__(settings, DockerPlanner(settings, environ))
