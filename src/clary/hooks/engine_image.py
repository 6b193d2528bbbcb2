"""An image from a Dockerfile: built by the container engine, whose builds run in containers, and pushed to Clary's own
registry with the rights of the hook's role."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from clary.clients.image_archive import OCI_MANIFEST, send
from clary.clients.registry import RegistryClient
from clary.compute import docker_socket
from clary.compute.docker_api import EngineError
from clary.compute.docker_images import ImageStore, builder
from clary.errors import AWSError
from clary.hooks.children import run
from clary.settings import Settings
from clary.workload.errors import WorkloadError

BUILD_SECONDS = 3600.0
"""A build that has not ended by then does not."""

Ask = Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]]
"""Calls an operation of a service as the hook's role. Raises AWSError."""

_EXISTS = "RepositoryAlreadyExistsException"
_KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "DOCKER_CONFIG",
    "REGISTRY_AUTH_FILE",
    "CONTAINERS_CONF",
    "CONTAINERS_REGISTRIES_CONF",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)
"""Variables that the engine's own command needs; what else Clary was started with is not its business."""


def build(folder: Path, image: str, on_line: Callable[[str], None], ended: Callable[[], bool]) -> str:
    """Build what the Dockerfile of `folder` says, as `image` (`NAME:TAG`); what the engine calls it.

    Raises ClaryError where there is no engine, WorkloadError where the build fails, Cancelled.
    """
    engine = _engine()
    name = f"localhost/{image}"
    command = [*builder(engine), "build", "--tag", name, "--file", str(folder / "Dockerfile"), str(folder)]
    environ = {variable: os.environ[variable] for variable in _KEPT if variable in os.environ}
    code = run(command, environ, folder, on_line, ended, BUILD_SECONDS)
    if code:
        raise WorkloadError(f"The build ended with exit code {code}.")
    return name


def push(settings: Settings, built: str, repository: str, tags: Sequence[str], ask: Ask) -> str:
    """Put what the engine calls `built` into Clary's registry under all these tags, in turn; its digest.

    Raises ClaryError, AWSError; WorkloadError where engine or registry fail.
    """
    _ensure(repository, ask)
    token = ask("ecr", "GetAuthorizationToken", {})["authorizationData"][0]["authorizationToken"]
    registry = RegistryClient(settings.host, settings.port, repository, token)
    try:
        manifest = send(_engine().save(built), registry, lambda _layer, _done, _size: None)
        return [registry.put_manifest(tag, manifest, OCI_MANIFEST) for tag in tags][-1]
    except (OSError, EngineError) as error:
        raise WorkloadError(f"{built} could not be pushed: {error}") from error
    finally:
        registry.close()


def _engine() -> ImageStore:
    return ImageStore(docker_socket.find(os.environ))


def _ensure(repository: str, ask: Ask) -> None:
    try:
        ask("ecr", "CreateRepository", {"repositoryName": repository})
    except AWSError as error:
        if error.code != _EXISTS:
            raise
