"""Where each container of this Clary runs: images of a container engine there, all others in a sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from clary.compute.base import Container
from clary.compute.launch import Launch
from clary.compute.local import LocalBackend
from clary.compute.sandbox import SandboxPlanner
from clary.errors import ClaryError
from clary.later import later
from clary.settings import Settings

if TYPE_CHECKING:
    from clary.compute import docker
else:
    docker = later("clary.compute.docker")  # for the first image that is an engine's


class ChosenPlanner:
    """Implements `compute.local.Planner` by `settings.compute`: `auto`, or only one of the two."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._compute = settings.compute
        self._settings = settings
        self._environ = environ
        self._sandbox = SandboxPlanner(settings)

    def check(self) -> None:
        """As the protocol: `auto` needs an engine only when an image does."""
        (self._docker if self._compute == "docker" else self._sandbox).check()

    def plan(self, place: Path, container: Container) -> Launch:
        """As the protocol."""
        if container.image:
            return self._with_engine(place, container)
        if self._compute == "docker":
            raise ClaryError(
                "This image runs in a sandbox, and Clary was started with `--compute docker`.",
                "Start it with `--compute auto`.",
            )
        return self._sandbox.plan(place, container)

    @cached_property
    def _docker(self) -> docker.DockerPlanner:
        return docker.DockerPlanner(self._settings, self._environ)

    def _with_engine(self, place: Path, container: Container) -> Launch:
        if self._compute == "sandbox":
            raise ClaryError(
                f"{container.image} needs a container engine, and Clary was started with `--compute sandbox`.",
                "Start it with `--compute auto`.",
            )
        return self._docker.plan(place, container)


def backend(settings: Settings, environ: Mapping[str, str]) -> LocalBackend:
    """What control starts containers with."""
    return LocalBackend(settings, ChosenPlanner(settings, environ))
