"""Where a container engine listens: Docker, or Podman, which answers the same API."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from clary.errors import ClaryError

_SECONDS = 2.0
_UNIX = "unix://"
_SYSTEM = ("/var/run/docker.sock", "/run/podman/podman.sock")


def find(environ: Mapping[str, str]) -> str:
    """The path of the socket of the first engine that answers: DOCKER_HOST where it is set, and no other then; Docker,
    Podman as root, Docker and Podman of this user alone. Raises ClaryError with what to do."""
    host = environ.get("DOCKER_HOST", "")
    if host and not host.startswith(_UNIX):
        raise ClaryError(
            f"DOCKER_HOST is {host}: containers need an engine on this machine.",
            "Name its socket, `unix:///var/run/docker.sock`, or unset it.",
        )
    refused: list[str] = []
    for path in [host.removeprefix(_UNIX)] if host else _places(environ):
        try:
            if _answers(path):
                return path
        except PermissionError:
            refused.append(path)
    raise _nothing(host.removeprefix(_UNIX), refused)


def _places(environ: Mapping[str, str]) -> Iterator[str]:
    """https://docs.docker.com/engine/security/rootless/, podman-system-service(1)."""
    own = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    yield from _SYSTEM
    yield from (f"{own}/docker.sock", f"{own}/podman/podman.sock")


def _answers(path: str) -> bool:
    """Whether somebody accepts there. Raises PermissionError where this user may not ask."""
    try:
        if not stat.S_ISSOCK(Path(path).stat().st_mode):
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(_SECONDS)
            probe.connect(path)
    except PermissionError:
        raise
    except OSError:
        return False
    return True


def _nothing(named: str, refused: list[str]) -> ClaryError:
    if refused:
        return ClaryError(
            f"This user may not use the container engine at {refused[0]}.",
            "Join its group (`sudo usermod -aG docker $USER`, then log in again), or run Podman as this user.",
        )
    if named:
        return ClaryError(f"No container engine answers at {named}, which DOCKER_HOST names.", "Start it.")
    return ClaryError(
        "No container engine answers on this machine.",
        "Install Docker, or Podman with `systemctl enable --now podman.socket`; DOCKER_HOST may name another socket.",
    )
